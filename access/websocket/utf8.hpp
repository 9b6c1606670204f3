// UTF-8 checked as it arrives, in pieces of any size (RFC 3629).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mayfly {

class Utf8Checker {
 public:
  // False from the first byte on that no UTF-8 text can hold there.
  bool feed(std::span<const std::byte> bytes);
  // True when no character is cut off at this point.
  bool complete() const noexcept { return continuation_left_ == 0; }

 private:
  bool start(std::uint8_t lead);

  unsigned continuation_left_ = 0;
  std::uint8_t low_ = 0x80, high_ = 0xbf;  // what the next continuation byte may be
};

}  // namespace mayfly
