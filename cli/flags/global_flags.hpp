// The flags before a command: --fedramp and the global flags of cloudflared, most of which concern
// its tunnels.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace mayfly::cli {

// Each as "--name=value", or "--fedramp": the flags that the command may have, too.
using GlobalFlags = std::vector<std::string>;

// Adds the flag at words[at] to the flags, or skips a flag that means nothing here. Returns the
// position of the next word. Throws usage Error for a flag that cloudflared does not have, and for
// a flag without its value.
std::size_t take_global_flag(const std::vector<std::string>& words, std::size_t at,
                             GlobalFlags& flags);

}  // namespace mayfly::cli
