// How a tunnel ended, for a person.
#pragma once

#include <string>

#include "access/transport/tunnel.hpp"

namespace mayfly::cli {

// Why, after how long, with how many bytes, and the close code.
std::string ending_line(const Ending& ending);

}  // namespace mayfly::cli
