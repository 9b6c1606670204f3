// Is the peer still there? When to ping, and when to give it up.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace mayfly {

// A ping after each interval of silence; dead a quarter of an interval after the second one without
// an answer (67.5 s for 30 s). Anything received is an answer, since edges may be frugal with
// pongs. A ping that queues behind bulk data on a slow line is waited for as long as the line
// moves.
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

  // In bytes from the beginning: where a ping sent now would end, and how far the peer's host has
  // acknowledged.
  struct Position {
    std::uint64_t end = 0, acknowledged = 0;
  };
  Verdict tick(Time now, Position position) {
    if (!due() || now < *due()) return Verdict::fine;
    const bool moves = position.acknowledged > acknowledged_;
    acknowledged_ = position.acknowledged;
    if (unanswered_ > 0 && acknowledged_ < ping_end_ && moves) {
      since_ = now;
      return Verdict::fine;
    }
    if (unanswered_ == most_unanswered) return Verdict::dead;
    ++unanswered_;
    since_ = now;
    ping_end_ = position.end;
    return Verdict::ping;
  }

 private:
  static constexpr int most_unanswered = 2;
  std::chrono::milliseconds interval_;
  Time since_;
  int unanswered_ = 0;
  std::uint64_t ping_end_ = 0, acknowledged_ = 0;
};

}  // namespace mayfly
