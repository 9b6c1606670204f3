// How a person at a terminal is led through a browser login; everything on stderr.
#pragma once

#include "access/identity/credentials.hpp"
#include "cli/flags/network_flags.hpp"

namespace mayfly::cli {

LoginPrompt terminal_login_prompt(const NetworkFlags& flags);

}  // namespace mayfly::cli
