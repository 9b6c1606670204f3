// The figures of a tunnel: while it is open, in a report, and at its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mayfly {

struct Traffic {
  std::uint64_t sent = 0, received = 0;  // payload bytes
  std::chrono::milliseconds age{};
  std::optional<std::chrono::microseconds> round_trip;  // of the last answered ping
};

// An open tunnel in the report that SIGUSR1 asks for.
struct TunnelReport {
  std::string name;  // the destination or the local program; printable
  Traffic traffic;
  double sent_rate = 0, received_rate = 0;  // bytes per second, measured over report_time
};

using TellTraffic = std::function<void(const std::vector<TunnelReport>&)>;

// How long a tunnel is observed for a report.
inline constexpr std::chrono::seconds report_time{1};

// Returns the report on a tunnel whose traffic was read twice.
inline TunnelReport report_between(std::string name, const Traffic& before, const Traffic& after) {
  const double seconds = std::chrono::duration<double>(after.age - before.age).count();
  const auto rate = [&](std::uint64_t from, std::uint64_t to) {
    return seconds > 0 ? static_cast<double>(to - from) / seconds : 0;
  };
  return {.name = std::move(name),
          .traffic = after,
          .sent_rate = rate(before.sent, after.sent),
          .received_rate = rate(before.received, after.received)};
}

// How a tunnel ended.
struct Ending : Traffic {
  enum class How {
    closed,       // Close 1000 or 1001, or end of stream in both directions
    interrupted,  // a signal came, or the local program stopped reading
    cut,          // the connection broke, timed out, or was closed with another code
    undelivered,  // writing to the local end failed, for example because a disk is full
    violation,    // the peer broke the protocol
  } how = How::closed;
  std::uint16_t close_code = 1006;  // the peer's, RFC 6455 section 7.1.5
  std::string reason;               // the peer's reason, or the failure; printable
  std::string ray;                  // cf-ray of the upgrade's answer; printable
  std::string name;  // the destination that a SOCKS5 client named, or "" for the application's
};

}  // namespace mayfly
