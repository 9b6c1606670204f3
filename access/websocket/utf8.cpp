#include "access/websocket/utf8.hpp"

#include <cstring>

namespace mayfly {

// The lead byte fixes the length, and narrows the byte after it where overlong forms, surrogates
// and values above U+10FFFF would begin (RFC 3629 section 4).
bool Utf8Checker::start(std::uint8_t lead) {
  low_ = 0x80;
  high_ = 0xbf;
  if (lead < 0x80) return true;
  if (lead < 0xc2 || lead > 0xf4) return false;
  continuation_left_ = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  if (lead == 0xe0) low_ = 0xa0;
  if (lead == 0xed) high_ = 0x9f;
  if (lead == 0xf0) low_ = 0x90;
  if (lead == 0xf4) high_ = 0x8f;
  return true;
}

bool Utf8Checker::feed(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (continuation_left_ == 0 && bytes.size() >= sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data(), sizeof word);
      if ((word & 0x8080808080808080U) == 0) {
        bytes = bytes.subspan(sizeof word);
        continue;
      }
    }
    const auto byte = std::to_integer<std::uint8_t>(bytes.front());
    bytes = bytes.subspan(1);
    if (continuation_left_ == 0) {
      if (!start(byte)) return false;
      continue;
    }
    if (byte < low_ || byte > high_) return false;
    low_ = 0x80;
    high_ = 0xbf;
    --continuation_left_;
  }
  return true;
}

}  // namespace mayfly
