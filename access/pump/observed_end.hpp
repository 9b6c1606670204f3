// A local end whose payload somebody else sees too (--debug-stream).
#pragma once

#include <optional>
#include <utility>

#include "access/io/stream.hpp"
#include "access/pump/payload_observer.hpp"

namespace mayfly {

class ObservedEnd : public LocalEnd {
 public:
  // end outlives it.
  ObservedEnd(LocalEnd& end, PayloadObserver observer) : end_(end), tell_(std::move(observer)) {}
  IoResult read(std::span<std::byte> into) override;
  IoResult write(std::span<const iovec> pieces) override;

 private:
  LocalEnd& end_;
  PayloadObserver tell_;
};

// The end itself when nobody looks, else one that is made in `place` for whoever does.
LocalEnd& observed(LocalEnd& end, const PayloadObserver& observer,
                   std::optional<ObservedEnd>& place);

}  // namespace mayfly
