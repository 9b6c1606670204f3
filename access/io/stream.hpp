// The two ends a tunnel is pumped between, as operations that never wait.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace mayfly {

// What one operation came to.
struct IoResult {
  enum class State {
    moved,          // bytes > 0 were read or written; perhaps fewer than could have been
    wait_readable,  // nothing yet: try again when the descriptor is readable,
    wait_writable,  // or writable
    ended,          // end of stream
    failed,         // broken for good; failure says why, printable
  } state = State::moved;
  std::size_t bytes = 0;
  std::string failure = {};
};

// What the person's program reads and writes.
class LocalEnd {
 public:
  virtual ~LocalEnd() = default;
  virtual IoResult read(std::span<std::byte> into) = 0;
  virtual IoResult write(std::span<const iovec> pieces) = 0;  // ended: nobody reads any more
};

// TLS to the edge.
class TunnelEnd {
 public:
  virtual ~TunnelEnd() = default;
  virtual IoResult read(std::span<std::byte> into) = 0;
  virtual IoResult write(std::span<const std::byte> bytes) = 0;
  // All bytes written so far on the wire, and of these what the peer's host has acknowledged.
  struct Progress {
    std::uint64_t written = 0, acknowledged = 0;
  };
  virtual Progress progress() const { return {}; }
};

}  // namespace mayfly
