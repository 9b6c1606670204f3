// The flags before a command: --fedramp, and the global ones of cloudflared, of which most are for
// its tunnels.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace mayfly::cli {

struct GlobalFlags {
  Invocation::Cloud cloud = Invocation::Cloud::commercial;
  // Those with a value, each as "--name=value": the command may have them too.
  std::vector<std::string> values;
};

// Takes the flag at words[at] with its value; what means nothing here is passed over. Returns where
// the next word is. Throws usage Error for a flag that cloudflared has not, and for one without its
// value.
std::size_t take_global_flag(const std::vector<std::string>& words, std::size_t at,
                             GlobalFlags& flags);

}  // namespace mayfly::cli
