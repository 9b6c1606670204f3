// The clock, limits of time, and how times and durations are written.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace mayfly {

// Returns the time of day, without its fraction of a second.
std::chrono::sys_seconds now();

// 9999-12-31T23:59:59Z, the last second that RFC 3339 can write.
inline constexpr std::chrono::sys_seconds last_second{std::chrono::seconds(253402300799)};

// A limit of time that begins to run when it is made.
class TimeLimit {
 public:
  using Clock = std::chrono::steady_clock;

  explicit TimeLimit(Clock::duration patience) : end_(Clock::now() + patience) {}

  // Returns the time that is left, rounded up to milliseconds and never below zero.
  std::chrono::milliseconds left() const;
  bool is_over() const { return Clock::now() >= end_; }

 private:
  Clock::time_point end_;
};

// "2026-11-23T18:42:00Z" (RFC 3339).
std::string rfc3339(std::chrono::sys_seconds time);
// "2026-11-23 18:42 UTC".
std::string utc_text(std::chrono::sys_seconds time);
// The two largest units: "3 d 4 h", "2 h 14 min", "5 min", "42 s"; rounded down.
std::string duration_text(std::chrono::seconds duration);
// Reads a duration as OpenSSH does (sshd_config(5), TIME FORMATS): numbers, each followed by s, m,
// h, d or w, in either case; a number alone means seconds. Returns nullopt for any other text, for
// 0, and for more than 2^31 - 1 seconds, OpenSSH's limit.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

}  // namespace mayfly
