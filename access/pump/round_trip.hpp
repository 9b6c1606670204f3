// How long a ping takes to come back.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace mayfly {

// Each ping carries a number, so that a late answer or one that nobody asked for (RFC 6455 section
// 5.5.3) measures nothing.
class RoundTrip {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::size_t body_size = 1;

  // What the ping is to carry; valid until the next one.
  std::string_view begin(Time now) {
    ++number_;
    begun_ = now;
    return {reinterpret_cast<const char*>(&number_), body_size};
  }
  // A pong's body.
  void answered(std::span<const std::byte> body, Time now) {
    if (!begun_ || body.size() != body_size || std::to_integer<std::uint8_t>(body[0]) != number_)
      return;
    last_ = std::chrono::duration_cast<std::chrono::microseconds>(now - *begun_);
    begun_.reset();
  }

  bool under_way() const noexcept { return begun_.has_value(); }
  // Of the last ping that was answered.
  std::optional<std::chrono::microseconds> last() const noexcept { return last_; }

 private:
  std::uint8_t number_ = 0;
  std::optional<Time> begun_;
  std::optional<std::chrono::microseconds> last_;
};

}  // namespace mayfly
