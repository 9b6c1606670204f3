// Who is shown what passes through a tunnel, beside the two who talk.
#pragma once

#include <functional>
#include <string_view>

namespace mayfly {

enum class PayloadWay { read, written };  // from the local end, to the local end
// The bytes of one read or one part of a write, as they are.
using PayloadObserver = std::function<void(PayloadWay, std::string_view bytes)>;

}  // namespace mayfly
