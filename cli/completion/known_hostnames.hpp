// The host names that a person can be offered: those of the state directory and of ssh_config.
#pragma once

#include <string>
#include <vector>

#include "access/identity/inventory.hpp"

namespace mayfly::cli {

// Host names, or host and path of an application that is defined so; sorted. Each is safe to be
// shown and to be handed to a shell. Wildcards are left out.
std::vector<std::string> known_hostnames(const Inventory& inventory,
                                         const std::vector<std::string>& places_with_keys,
                                         const std::vector<std::string>& configured);

}  // namespace mayfly::cli
