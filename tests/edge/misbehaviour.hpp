// The frames that tunnel.* faults put on the wire.
#pragma once

#include <string>

namespace edge {

// Raw bytes for a fault ("masked", without its area); "" for one that sends none.
std::string raw_frames(const std::string& fault);

struct Frame {
  unsigned opcode = 2;
  bool fin = true;
  unsigned rsv = 0;  // three bits
  std::string mask;  // four bytes, or none
  std::string payload;
};

// RFC 6455 section 5.2.
std::string encode(const Frame& frame);

// The stream of bytes sources and scripts send: byte i is i % 251.
std::string pattern(std::size_t size);

}  // namespace edge
