// Frames that wait to be written to the tunnel: at most one data frame, and control frames.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "access/io/stream.hpp"
#include "access/pump/buffers.hpp"
#include "access/websocket/websocket.hpp"

namespace mayfly {

class Outgoing {
 public:
  bool empty() const noexcept { return takes_data() && pong_.empty(); }
  // Whether a data frame may be added. A pong may wait behind data as long as no byte of it was
  // given to TLS, whose retry has to repeat the same bytes (SSL_write(3)).
  bool takes_data() const noexcept { return frame_.empty() && control_.empty(); }
  // Returns how many bytes wait.
  std::size_t pending() const noexcept {
    return frame_.size() + control_.size() - control_begun_ + pong_.size();
  }
  std::uint64_t payload_sent() const noexcept { return payload_sent_; }

  // Adds a binary frame with the first `size` bytes of the buffer's payload_room(). Only if
  // takes_data().
  void add_data(BufferPool::Buffer buffer, std::size_t size);
  static std::span<std::byte> payload_room(BufferPool::Buffer& buffer) {
    return {buffer.get() + BufferPool::header_room, websocket::full_payload};
  }

  void add_ping(std::string_view body);
  // Replaces a waiting pong: only the latest ping needs an answer (RFC 6455 section 5.5.3).
  void add_pong(std::span<const std::byte> body);
  // Adds a Close behind the frames that already wait. Frames added after it are ignored.
  void add_close(std::uint16_t code, std::string_view reason = {});

  // Writes until all is written (moved) or a write does not move bytes. Returns that state and the
  // number of bytes of all writes.
  IoResult write(TunnelEnd& tunnel, BufferPool& buffers);
  // Discards everything that waits.
  void drop(BufferPool& buffers);

 private:
  IoResult write_frame(TunnelEnd& tunnel, BufferPool& buffers);
  IoResult write_control(TunnelEnd& tunnel);

  BufferPool::Buffer buffer_;
  std::span<const std::byte> frame_;  // the rest of the data frame, inside buffer_
  std::size_t payload_left_ = 0;      // how much of frame_ is payload
  std::string control_;               // whole control frames
  std::size_t control_begun_ = 0;     // how many bytes of control_ are written
  std::string pong_;
  bool close_added_ = false;
  std::uint64_t payload_sent_ = 0;
};

}  // namespace mayfly
