// Buffers that are lent only while bytes move, so that an idle connection holds none.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "access/websocket/websocket.hpp"

namespace mayfly {

// One a loop: shared by all its tunnels, used from one thread.
class BufferPool {
 public:
  using Buffer = std::unique_ptr<std::byte[]>;
  // For the largest header, and so much that the payload begins where it can be masked fastest.
  static constexpr std::size_t header_room = 16;
  static_assert(header_room >= websocket::max_header_size);
  static constexpr std::size_t size = header_room + websocket::full_payload;

  Buffer take() {
    ++lent_;
    if (spare_.empty()) return Buffer(new std::byte[size]);  // not make_unique: that would zero it
    Buffer buffer = std::move(spare_.back());
    spare_.pop_back();
    return buffer;
  }

  void give_back(Buffer buffer) {
    if (!buffer) return;
    --lent_;
    if (spare_.size() < most_kept) spare_.push_back(std::move(buffer));
  }

  int lent() const noexcept { return lent_; }

 private:
  static constexpr std::size_t most_kept = 4;  // more are wanted only while local readers lag
  std::vector<Buffer> spare_;
  int lent_ = 0;
};

}  // namespace mayfly
