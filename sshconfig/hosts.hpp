// The hosts that somebody's ssh_config reaches through a tunnel of mayfly or cloudflared.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mayfly::sshconfig {

// From the text of a configuration: what follows --hostname in a ProxyCommand or Match exec, and
// where that is %h the names of its Host or Match line. Patterns are left out.
std::vector<std::string> tunnelled_hosts(std::string_view config);

// Those of ~/.ssh/config and of the files that it includes; sorted. What cannot be read is passed
// over.
std::vector<std::string> configured_hosts(const std::string& ssh_directory);

}  // namespace mayfly::sshconfig
