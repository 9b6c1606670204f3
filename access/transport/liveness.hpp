// Is the peer still there? When to ping, and when to give it up.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace mayfly {

// A ping after each interval of silence; dead a quarter of an interval after the second one without
// an answer (67.5 s for 30 s). Anything received is an answer, since edges may be frugal with
// pongs; so is anything sent that the peer took, since pings and pongs queue behind bulk data.
class Liveness {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Verdict { fine, ping, dead };

  Liveness(std::chrono::milliseconds interval, Time now) : interval_(interval), since_(now) {}

  void progress(Time now) {
    since_ = now;
    unanswered_ = 0;
  }

  // When tick() wants to be called next; nothing without pings.
  std::optional<Time> due() const {
    if (interval_.count() <= 0) return std::nullopt;
    return since_ + (unanswered_ == most_unanswered ? interval_ / 4 : interval_);
  }

  // unacknowledged: bytes on their way to the peer; fewer than last time means that it took some.
  Verdict tick(Time now, std::size_t unacknowledged) {
    if (!due() || now < *due()) return Verdict::fine;
    const bool draining = unacknowledged < unacknowledged_;
    unacknowledged_ = unacknowledged;
    if (draining) {
      progress(now);
      return Verdict::fine;
    }
    if (unanswered_ == most_unanswered) return Verdict::dead;
    ++unanswered_;
    since_ = now;
    return Verdict::ping;
  }

 private:
  static constexpr int most_unanswered = 2;
  std::chrono::milliseconds interval_;
  Time since_;
  int unanswered_ = 0;
  std::size_t unacknowledged_ = 0;
};

}  // namespace mayfly
