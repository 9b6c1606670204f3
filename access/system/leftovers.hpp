// What killed commands left in the state directory.
#pragma once

#include "access/system/files.hpp"

namespace mayfly {

// Takes away temporary files that nobody writes any more (they may hold a token or a key), and
// locks of logins and signatures, with their URLs, whose process is gone. What cannot be removed
// stays: it keeps nobody from anything. Costs one listing of the directory.
void clear_leftovers(const StateDirectory& directory) noexcept;

}  // namespace mayfly
