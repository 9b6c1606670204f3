// Pings: when to send one, how long its answer takes, and when a silent peer counts as dead.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace mayfly {

// Says when to ping. A ping is due after each interval without received bytes; the peer is dead a
// quarter of an interval after the second unanswered ping (67.5 s for an interval of 30 s). Any
// received byte counts as an answer, since edges may omit pongs. A ping that queues behind bulk
// data on a slow line does not count as unanswered while the peer acknowledges bytes. A peer that
// reads nothing cannot answer: while bytes for it wait and its host answers, it is not dead.
class Liveness {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Verdict { fine, ping, dead };

  // An interval of 0 or less turns pings off.
  Liveness(std::chrono::milliseconds interval, Time now) : interval_(interval), since_(now) {}

  // Records that bytes were received.
  void progress(Time now) {
    since_ = now;
    unanswered_ = 0;
    was_held_up_ = false;
  }

  // Returns when to call tick() next, or nullopt if pings are off.
  std::optional<Time> due() const {
    if (interval_.count() <= 0) return std::nullopt;
    return since_ + (unanswered_ == most_unanswered ? interval_ / 4 : interval_);
  }

  // Positions in the byte stream to the peer.
  struct Position {
    std::uint64_t end = 0;           // the end of a ping that is sent now
    std::uint64_t acknowledged = 0;  // bytes that the peer's host has acknowledged
    bool held_up = false;            // bytes wait for the peer, whose host answers
  };
  // Returns whether to do nothing, to ping, or to give the peer up.
  Verdict tick(Time now, Position position) {
    if (!due() || now < *due()) return Verdict::fine;
    const bool moves = position.acknowledged > acknowledged_;
    acknowledged_ = position.acknowledged;
    if (unanswered_ > 0 && acknowledged_ < ping_end_ && moves) {
      since_ = now;
      return Verdict::fine;
    }
    if (unanswered_ == most_unanswered) {
      if (position.held_up) {
        since_ = now;
        was_held_up_ = true;
        return Verdict::fine;
      }
      if (!was_held_up_) return Verdict::dead;
      progress(now);  // it has taken the bytes, and has its time to answer
    }
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
  bool was_held_up_ = false;
  std::uint64_t ping_end_ = 0, acknowledged_ = 0;
};

// Measures the round trip of pings. Each ping carries a number, so that a late or unsolicited pong
// (RFC 6455 section 5.5.3) is not measured.
class RoundTrip {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::size_t body_size = 1;

  // Starts a measurement. Returns the body of the ping, valid until the next call.
  std::string_view begin(Time now) {
    ++number_;
    begun_ = now;
    return {reinterpret_cast<const char*>(&number_), body_size};
  }
  // Ends the measurement if `body`, a pong's, answers the latest ping.
  void answered(std::span<const std::byte> body, Time now) {
    if (!begun_ || body.size() != body_size || std::to_integer<std::uint8_t>(body[0]) != number_)
      return;
    last_ = std::chrono::duration_cast<std::chrono::microseconds>(now - *begun_);
    begun_.reset();
  }

  bool under_way() const noexcept { return begun_.has_value(); }
  // Returns the last measured round trip.
  std::optional<std::chrono::microseconds> last() const noexcept { return last_; }

 private:
  std::uint8_t number_ = 0;
  std::optional<Time> begun_;
  std::optional<std::chrono::microseconds> last_;
};

}  // namespace mayfly
