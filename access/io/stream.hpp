// The two ends of a tunnel, as operations that never wait.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "access/system/local_peers.hpp"

namespace mayfly {

// The outcome of one operation.
struct IoResult {
  enum class State {
    moved,          // bytes > 0 were read or written; perhaps fewer than could have been
    wait_readable,  // nothing yet: try again when the descriptor is readable,
    wait_writable,  // or writable
    ended,          // end of stream
    failed,         // broken for good; `failure` says why and is printable
  } state = State::moved;
  std::size_t bytes = 0;
  std::string failure = {};
};

// The end that the local program reads and writes.
class LocalEnd {
 public:
  virtual ~LocalEnd() = default;
  virtual IoResult read(std::span<std::byte> into) = 0;
  virtual IoResult write(std::span<const iovec> pieces) = 0;  // ended: the reader is gone
  // The descriptors may be ready, whatever earlier calls saw: for a caller that is told of each
  // change only once.
  virtual void has_changed() noexcept {}
  // Whether both directions are one connection: a program that has closed it sends nothing more.
  virtual bool is_connection() const { return false; }
  // Returns whether the local program is still there, once its end of stream was read.
  virtual Presence presence() { return Presence::unknown; }
};

// The end at the edge, behind TLS.
class TunnelEnd {
 public:
  virtual ~TunnelEnd() = default;
  virtual IoResult read(std::span<std::byte> into) = 0;
  virtual IoResult write(std::span<const std::byte> bytes) = 0;
  virtual void has_changed() noexcept {}  // as of a LocalEnd
  // The bytes written to the wire so far, how many of them the peer's host has acknowledged, and
  // whether that host answers our kernel although the peer reads nothing.
  struct Progress {
    std::uint64_t written = 0, acknowledged = 0;
    bool host_answers = false;
  };
  virtual Progress progress() const { return {}; }
};

}  // namespace mayfly
