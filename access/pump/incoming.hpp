// Bytes from the tunnel to the local end. Frames are decoded in the buffer that they were read
// into, and their payload is written from there.
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
  // Whether there is neither input to decode nor payload to write.
  bool empty() const noexcept { return input_.empty() && !has_payload(); }
  bool has_input() const noexcept { return !input_.empty(); }
  bool has_payload() const noexcept { return first_ < last_; }
  std::uint64_t payload_written() const noexcept { return payload_written_; }

  // Reads until the buffer is full or a read does not move bytes. Returns the last read's state and
  // the number of bytes of all reads. Only if empty().
  IoResult fill(TunnelEnd& tunnel, BufferPool& buffers);
  // Takes bytes that were read before the pump began, at most BufferPool::size.
  void preload(std::span<const std::byte> bytes, BufferPool& buffers);

  // Decodes input. Returns the next control frame, close or violation, or nullopt when the input or
  // the room for pieces of payload is used up.
  std::optional<websocket::Event> parse();
  // Ignores the rest of the input, which follows a Close or a violation.
  void drop_input() { input_ = {}; }

  // Writes the payload. Returns moved once all of it is written.
  IoResult write(LocalEnd& local);
  // Discards the payload.
  void drop_payload() { first_ = last_; }
  // Gives the buffer back if it holds nothing any more.
  void rest(BufferPool& buffers);
  void discard(BufferPool& buffers) { buffers.give_back(std::move(buffer_)); }

 private:
  void wrote(std::size_t bytes);

  static constexpr std::size_t most_pieces = 64;
  BufferPool::Buffer buffer_;
  std::span<const std::byte> input_;
  std::array<iovec, most_pieces> pieces_;  // the payload: those from first_ to last_
  std::size_t first_ = 0, last_ = 0;
  websocket::Decoder decoder_;
  std::uint64_t payload_written_ = 0;
};

}  // namespace mayfly
