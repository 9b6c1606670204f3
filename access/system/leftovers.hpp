// The files that killed commands left in the state directory.
#pragma once

#include "access/system/files.hpp"

namespace mayfly {

// Removes temporary files whose writer is gone (they may hold a token or a key), and the locks of
// logins and signatures, with their URLs, whose process is gone. Best effort: failures to remove
// are ignored. Lists the directory once.
void clear_leftovers(const StateDirectory& directory) noexcept;

}  // namespace mayfly
