// What waits to go into the tunnel: at most one data frame, and control frames between data frames.
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
  // A pong not yet begun may wait behind data; one that TLS has begun may not (SSL_write(3): a
  // retry repeats the bytes).
  bool takes_data() const noexcept { return frame_.empty() && control_.empty(); }
  std::size_t pending() const noexcept {
    return frame_.size() + control_.size() - control_begun_ + pong_.size();
  }
  std::uint64_t payload_sent() const noexcept { return payload_sent_; }

  // The buffer holds `size` bytes from payload_at() on; they leave as one binary frame. Only when
  // there is no data frame waiting.
  void add_data(BufferPool::Buffer buffer, std::size_t size);
  static std::span<std::byte> payload_room(BufferPool::Buffer& buffer) {
    return {buffer.get() + BufferPool::header_room, websocket::full_payload};
  }

  void add_ping(std::string_view body);
  // Only the latest ping needs an answer (RFC 6455 section 5.5.3).
  void add_pong(std::span<const std::byte> body);
  // Nothing but what is on its way already goes before a Close, and nothing after it.
  void add_close(std::uint16_t code, std::string_view reason = {});

  // Writes until all is written (moved), or what else came in between; bytes is all that was
  // written, whatever the state.
  IoResult write(TunnelEnd& tunnel, BufferPool& buffers);
  // Forgets what was not written.
  void drop(BufferPool& buffers);

 private:
  IoResult write_frame(TunnelEnd& tunnel, BufferPool& buffers);
  IoResult write_control(TunnelEnd& tunnel);

  BufferPool::Buffer buffer_;
  std::span<const std::byte> frame_;  // the rest of the data frame, inside buffer_
  std::size_t payload_left_ = 0;      // how much of frame_ is payload
  std::string control_;               // whole control frames; the first one may have begun to leave
  std::size_t control_begun_ = 0;
  std::string pong_;
  bool close_added_ = false;
  std::uint64_t payload_sent_ = 0;
};

}  // namespace mayfly
