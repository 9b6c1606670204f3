// How a tunnel ended, and what it carried.
#pragma once

#include <cstdint>
#include <string>

#include "access/pump/traffic.hpp"

namespace mayfly {

struct Ending : Traffic {
  enum class How {
    closed,       // Close 1000 or 1001, or end of stream on both sides
    interrupted,  // by our own signal or a local reader that went away
    cut,          // the connection broke, timed out or was closed with another code
    undelivered,  // the local side could not be written: a full disk, say
    violation,    // the peer broke the protocol
  } how = How::closed;
  std::uint16_t close_code = 1006;  // the peer's, RFC 6455 section 7.1.5
  std::string reason;               // of the peer's Close, or what broke; printable
  std::string ray;                  // cf-ray of the upgrade's answer; printable
};

}  // namespace mayfly
