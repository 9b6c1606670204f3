// Finds the hosts that an ssh_config reaches through a tunnel of mayfly or cloudflared.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mayfly::sshconfig {

// Returns the values of --hostname in each ProxyCommand and Match exec of a configuration; for %h
// the names of its Host or Match line. Leaves out patterns.
std::vector<std::string> tunnelled_hosts(std::string_view config);

// Returns the hosts of ~/.ssh/config and of the files that it includes, sorted. Skips files that it
// cannot read.
std::vector<std::string> configured_hosts(const std::string& ssh_directory);

}  // namespace mayfly::sshconfig
