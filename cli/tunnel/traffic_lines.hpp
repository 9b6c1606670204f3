// How open tunnels are doing, for the person who sent SIGUSR1.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "access/pump/traffic.hpp"

namespace mayfly::cli {

// "832 B", "1.2 MiB".
std::string size_text(std::uint64_t bytes);

// One line for each, the busiest first, of not more than twenty; for several, one with their sums
// in the end.
std::string traffic_lines(std::vector<TunnelReport> reports);

}  // namespace mayfly::cli
