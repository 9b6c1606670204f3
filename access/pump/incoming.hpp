// What came out of the tunnel: frames are taken apart in the buffer they were read into, and their
// payload is written from there.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "access/io/stream.hpp"
#include "access/pump/buffers.hpp"
#include "access/websocket/websocket.hpp"

namespace mayfly {

class Incoming {
 public:
  // Neither bytes to take apart nor payload to write.
  bool empty() const noexcept { return input_.empty() && !has_payload(); }
  bool has_input() const noexcept { return !input_.empty(); }
  bool has_payload() const noexcept { return first_ < last_; }
  std::uint64_t payload_written() const noexcept { return payload_written_; }

  // Reads until the buffer is full, or what else came in between; bytes is all that was read,
  // whatever the state. Only when empty().
  IoResult fill(TunnelEnd& tunnel, BufferPool& buffers);
  // Bytes that were read by somebody else before; at most BufferPool::size.
  void preload(std::span<const std::byte> bytes, BufferPool& buffers);

  // Takes the input apart until a control frame, a close or a violation (returned), or until it or
  // the room for pieces is used up (nothing).
  std::optional<websocket::Event> parse();
  // What follows a Close is not looked at.
  void drop_input() { input_ = {}; }

  // Writes the payload: moved when all of it was taken.
  IoResult write(LocalEnd& local);
  // The buffer goes back when nothing is left in it.
  void rest(BufferPool& buffers);
  void discard(BufferPool& buffers) { buffers.give_back(std::move(buffer_)); }

 private:
  void wrote(std::size_t bytes);

  static constexpr std::size_t most_pieces = 64;
  BufferPool::Buffer buffer_;
  std::span<const std::byte> input_;
  std::array<iovec, most_pieces> pieces_;
  std::size_t first_ = 0, last_ = 0;
  websocket::Decoder decoder_;
  std::uint64_t payload_written_ = 0;
};

}  // namespace mayfly
