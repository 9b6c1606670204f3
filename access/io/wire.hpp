// The byte stream below TLS: a socket, or a connection that libcurl made through an HTTPS proxy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "access/io/stream.hpp"
#include "access/system/descriptor.hpp"

using BIO = struct bio_st;

namespace mayfly {

class Wire {
 public:
  virtual ~Wire() = default;
  // Fills `into`, then `more`, as far as there are bytes; bytes counts both.
  virtual IoResult read(std::span<std::byte> into, std::span<std::byte> more) = 0;
  virtual IoResult write(std::span<const std::byte> bytes) = 0;
  virtual int descriptor() const noexcept = 0;  // to be watched, not to be used
  virtual void has_changed() noexcept {}        // as of a LocalEnd
  // Returns how many sent bytes the other host has not acknowledged.
  virtual std::size_t unacknowledged() const noexcept;
  // Returns whether the other host still answers our kernel, also while its window is closed.
  bool host_answers() const noexcept;
};

// A connected TCP socket; made non-blocking.
class SocketWire : public Wire {
 public:
  explicit SocketWire(Descriptor socket);
  ~SocketWire() override;
  IoResult read(std::span<std::byte> into, std::span<std::byte> more) override;
  IoResult write(std::span<const std::byte> bytes) override;
  int descriptor() const noexcept override { return socket_.get(); }
  void has_changed() noexcept override { drained_ = false; }

 private:
  Descriptor socket_;
  bool drained_ = false;  // the last read emptied the socket: the next one would only say so
};

// The object behind the BIO that OpenSSL reads and writes. It keeps the wire's last failure for the
// caller.
struct WireEnd {
  std::unique_ptr<Wire> wire;
  IoResult last;  // of the last operation
  std::uint64_t written = 0;
  std::array<std::byte, 512> ahead{};  // read, but not yet asked for
  std::size_t ahead_begin = 0, ahead_end = 0;
  bool ended = false;  // the stream ended: how OpenSSL tells a cut from an error
};
BIO* make_bio(WireEnd& end);

}  // namespace mayfly
