// The frames that tunnel.* faults put on the wire.
#include "misbehaviour.hpp"

namespace edge {

std::string raw_frames(const std::string& fault) {
  const std::string hello = "hello";
  if (fault == "masked") return encode({2, true, 0, "\x01\x02\x03\x04", hello});
  if (fault == "reserved_bits") return encode({2, true, 4, "", hello});
  if (fault == "unknown_opcode") return encode({3, true, 0, "", hello});
  if (fault == "oversized_ping") return encode({9, true, 0, "", std::string(126, 'p')});
  if (fault == "fragmented_ping") return encode({9, false, 0, "", hello});
  if (fault == "continuation") return encode({0, true, 0, "", hello});
  if (fault == "interleaved") {
    return encode({2, false, 0, "", hello}) + encode({2, true, 0, "", hello});
  }
  if (fault == "huge_length") return std::string("\x82\x7f\x80\0\0\0\0\0\0\0", 10);
  if (fault == "short_close") return encode({8, true, 0, "", "\x03"});
  if (fault == "bad_close_code") return encode({8, true, 0, "", "\x03\xed"});
  if (fault == "bad_close_text") return encode({8, true, 0, "", "\x03\xe8\xff\xfe"});
  if (fault == "ping_flood") {
    std::string flood;
    for (int i = 0; i < 10000; ++i) flood += encode({9, true, 0, "", ""});
    return flood;
  }
  return "";
}

std::string encode(const Frame& frame) {
  const std::size_t size = frame.payload.size();
  const unsigned masked = frame.mask.empty() ? 0 : 0x80;
  std::string bytes;
  bytes += static_cast<char>((frame.fin ? 0x80u : 0u) | frame.rsv << 4 | frame.opcode);
  const int width = size < 126 ? 0 : size < 65536 ? 2 : 8;
  const std::size_t code = width == 0 ? size : width == 2 ? 126 : 127;
  bytes += static_cast<char>(masked | code);
  for (int i = width; i > 0; --i) bytes += static_cast<char>(size >> (8 * (i - 1)) & 0xff);
  bytes += frame.mask;
  for (std::size_t i = 0; i < size; ++i) {
    bytes += frame.mask.empty() ? frame.payload[i]
                                : static_cast<char>(frame.payload[i] ^ frame.mask[i % 4]);
  }
  return bytes;
}

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i % 251);
  return bytes;
}

}  // namespace edge
