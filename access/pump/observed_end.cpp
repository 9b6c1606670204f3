#include "access/pump/observed_end.hpp"

#include <algorithm>

namespace mayfly {

IoResult ObservedEnd::read(std::span<std::byte> into) {
  IoResult result = end_.read(into);
  if (result.bytes > 0)
    tell_(PayloadWay::read, {reinterpret_cast<const char*>(into.data()), result.bytes});
  return result;
}

IoResult ObservedEnd::write(std::span<const iovec> pieces) {
  IoResult result = end_.write(pieces);
  std::size_t left = result.bytes;
  for (const iovec& piece : pieces) {
    const std::size_t size = std::min(left, piece.iov_len);
    if (size == 0) break;
    tell_(PayloadWay::written, {static_cast<const char*>(piece.iov_base), size});
    left -= size;
  }
  return result;
}

LocalEnd& observed(LocalEnd& end, const PayloadObserver& observer,
                   std::optional<ObservedEnd>& place) {
  if (!observer) return end;
  return place.emplace(end, observer);
}

}  // namespace mayfly
