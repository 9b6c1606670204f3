// Buffers that are lent only while bytes move, so that an idle connection holds no buffer.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "access/websocket/websocket.hpp"

namespace mayfly {

// The buffers of all tunnels of one loop. Not thread-safe.
class BufferPool {
 public:
  using Buffer = std::unique_ptr<std::byte[]>;
  // Room for the largest frame header, rounded up so that the payload is aligned for masking.
  static constexpr std::size_t header_room = 16;
  static_assert(header_room >= websocket::max_header_size);
  static constexpr std::size_t size = header_room + websocket::full_payload;

  Buffer take() {
    ++lent_;
    if (spare_.empty()) return Buffer(new std::byte[size]);  // make_unique would clear it
    Buffer buffer = std::move(spare_.back());
    spare_.pop_back();
    return buffer;
  }

  // Takes a buffer back. Does nothing for nullptr.
  void give_back(Buffer buffer) {
    if (!buffer) return;
    --lent_;
    if (spare_.size() < most_kept) spare_.push_back(std::move(buffer));
  }

  int lent() const noexcept { return lent_; }

 private:
  static constexpr std::size_t most_kept = 4;  // more are in use only while local programs lag
  std::vector<Buffer> spare_;
  int lent_ = 0;
};

}  // namespace mayfly
