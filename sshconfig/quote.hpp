// Quoting for the two readers of an ssh_config value: ssh's own word splitter and the user's shell.
#pragma once

#include <string>
#include <string_view>

namespace mayfly::sshconfig {

// A word for /bin/sh: as it is when harmless, else in single quotes; "%" is doubled for ssh's token expansion.
std::string shell_word(std::string_view text);
// A whole argument of an ssh_config keyword: as it is, or in double quotes.
std::string config_word(std::string_view text);

}  // namespace mayfly::sshconfig
