#include "access/pump/incoming.hpp"

#include <algorithm>
#include <cstring>

namespace mayfly {

using websocket::Event;

IoResult Incoming::fill(TunnelEnd& tunnel, BufferPool& buffers) {
  buffer_ = buffers.take();
  const std::span room(buffer_.get(), BufferPool::size);
  std::size_t size = 0;
  IoResult result;
  while (size < room.size()) {
    result = tunnel.read(room.subspan(size));
    if (result.state != IoResult::State::moved) break;
    size += result.bytes;
  }
  result.bytes = size;
  input_ = room.first(size);
  rest(buffers);
  return result;
}

void Incoming::preload(std::span<const std::byte> bytes, BufferPool& buffers) {
  if (bytes.empty()) return;
  buffer_ = buffers.take();
  const std::size_t size = std::min(bytes.size(), BufferPool::size);
  std::memcpy(buffer_.get(), bytes.data(), size);
  input_ = {buffer_.get(), size};
}

std::optional<Event> Incoming::parse() {
  if (!has_payload()) first_ = last_ = 0;
  while (!input_.empty() && last_ < pieces_.size()) {
    const Event event = decoder_.next(input_);
    if (event.kind == Event::Kind::need_more) break;
    if (event.kind != Event::Kind::data) return event;
    // iovec serves reading as well, so its pointer is not const.
    pieces_[last_++] = {const_cast<std::byte*>(event.payload.data()), event.payload.size()};
  }
  return std::nullopt;
}

IoResult Incoming::write(LocalEnd& local) {
  while (has_payload()) {
    IoResult result = local.write(std::span(pieces_).subspan(first_, last_ - first_));
    if (result.state != IoResult::State::moved) return result;
    wrote(result.bytes);
  }
  return {};
}

void Incoming::wrote(std::size_t bytes) {
  payload_written_ += bytes;
  while (bytes > 0 && has_payload()) {
    iovec& piece = pieces_[first_];
    const std::size_t part = std::min(bytes, piece.iov_len);
    piece.iov_base = static_cast<std::byte*>(piece.iov_base) + part;
    piece.iov_len -= part;
    bytes -= part;
    if (piece.iov_len == 0) ++first_;
  }
}

void Incoming::rest(BufferPool& buffers) {
  if (empty()) buffers.give_back(std::move(buffer_));
}

}  // namespace mayfly
