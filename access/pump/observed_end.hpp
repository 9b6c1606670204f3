// A local end whose payload an observer sees as well (--debug-stream).
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "access/io/stream.hpp"

namespace mayfly {

enum class PayloadDirection { from_local, to_local };
// Receives the raw bytes of one read, or of one piece of a write.
using PayloadObserver = std::function<void(PayloadDirection, std::string_view bytes)>;

class ObservedEnd : public LocalEnd {
 public:
  // `end` must outlive this object.
  ObservedEnd(LocalEnd& end, PayloadObserver observer)
      : end_(end), observer_(std::move(observer)) {}

  IoResult read(std::span<std::byte> into) override {
    IoResult result = end_.read(into);
    if (result.bytes > 0) tell(PayloadDirection::from_local, into.data(), result.bytes);
    return result;
  }

  IoResult write(std::span<const iovec> pieces) override {
    IoResult result = end_.write(pieces);
    std::size_t left = result.bytes;
    for (const iovec& piece : pieces) {
      const std::size_t size = std::min(left, piece.iov_len);
      if (size == 0) break;
      tell(PayloadDirection::to_local, piece.iov_base, size);
      left -= size;
    }
    return result;
  }

  bool is_connection() const override { return end_.is_connection(); }
  Presence presence() override { return end_.presence(); }
  void has_changed() noexcept override { end_.has_changed(); }

 private:
  void tell(PayloadDirection direction, const void* bytes, std::size_t size) {
    observer_(direction, {static_cast<const char*>(bytes), size});
  }

  LocalEnd& end_;
  PayloadObserver observer_;
};

// Returns `end` itself if there is no observer; otherwise makes an ObservedEnd in `storage` and
// returns that.
inline LocalEnd& observed(LocalEnd& end, const PayloadObserver& observer,
                          std::optional<ObservedEnd>& storage) {
  if (!observer) return end;
  return storage.emplace(end, observer);
}

}  // namespace mayfly
