// How a tunnel ended, in words.
#pragma once

#include <string>

#include "access/tunnel/tunnel.hpp"

namespace mayfly::cli {

// Why, after how long, with how many bytes, and the close code.
std::string ending_line(const Ending& ending);

// The last line of what -v tells.
void log_ending(const Ending& ending);

}  // namespace mayfly::cli
