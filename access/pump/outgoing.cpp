#include "access/pump/outgoing.hpp"

#include <algorithm>
#include <bit>

namespace mayfly {

using websocket::Opcode;

void Outgoing::add_data(BufferPool::Buffer buffer, std::size_t size) {
  buffer_ = std::move(buffer);
  const auto payload = payload_room(buffer_).first(size);
  frame_ = websocket::seal_frame(Opcode::binary, payload, websocket::next_mask());
  payload_left_ = size;
}

void Outgoing::add_ping(std::string_view body) {
  if (close_added_) return;
  control_ += websocket::control_frame(Opcode::ping, body, websocket::next_mask());
}

void Outgoing::add_pong(std::span<const std::byte> body) {
  if (close_added_) return;
  pong_ = websocket::control_frame(
      Opcode::pong, {std::bit_cast<const char*>(body.data()), body.size()}, websocket::next_mask());
}

void Outgoing::add_close(std::uint16_t code, std::string_view reason) {
  if (close_added_) return;
  close_added_ = true;
  control_ += std::exchange(pong_, {});
  control_ += websocket::close_frame(code, reason, websocket::next_mask());
}

IoResult Outgoing::write(TunnelEnd& tunnel, BufferPool& buffers) {
  IoResult result = write_frame(tunnel, buffers);
  if (!frame_.empty()) return result;
  const std::size_t before = result.bytes;
  result = write_control(tunnel);
  result.bytes += before;
  return result;
}

IoResult Outgoing::write_frame(TunnelEnd& tunnel, BufferPool& buffers) {
  std::size_t written = 0;
  while (!frame_.empty()) {
    IoResult result = tunnel.write(frame_);
    if (result.state != IoResult::State::moved) {
      result.bytes = written;
      return result;
    }
    written += result.bytes;
    frame_ = frame_.subspan(result.bytes);
    const std::size_t left = std::min(payload_left_, frame_.size());
    payload_sent_ += payload_left_ - left;
    payload_left_ = left;
  }
  buffers.give_back(std::move(buffer_));
  return {.bytes = written};
}

IoResult Outgoing::write_control(TunnelEnd& tunnel) {
  std::size_t written = 0;
  while (!control_.empty() || !pong_.empty()) {
    if (control_.empty()) control_ = std::exchange(pong_, {});
    IoResult result = tunnel.write(std::as_bytes(std::span(control_).subspan(control_begun_)));
    if (result.state != IoResult::State::moved) {
      result.bytes = written;
      return result;
    }
    written += result.bytes;
    control_begun_ += result.bytes;
    if (control_begun_ < control_.size()) continue;
    control_.clear();
    control_begun_ = 0;
  }
  return {.bytes = written};
}

void Outgoing::drop(BufferPool& buffers) {
  frame_ = {};
  payload_left_ = 0;
  buffers.give_back(std::move(buffer_));
  control_.clear();
  pong_.clear();
  control_begun_ = 0;
}

}  // namespace mayfly
