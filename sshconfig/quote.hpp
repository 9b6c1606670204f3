// Quoting for the readers of an ssh_config value: ssh's word splitter, its tokens, and the user's
// shell.
#pragma once

#include <string>
#include <string_view>

namespace mayfly::sshconfig {

// All three throw usage Error for control characters, which no quoting can carry through a line.

// A word for the shell behind Match exec and ProxyCommand: as it is when harmless, else quoted; "%"
// is doubled for ssh's token expansion. The result never holds a double quote, nor a backslash that
// ssh would take for an escape, so that it may stand between the double quotes of exec "...", which
// OpenSSH splits in another way since 9.9.
std::string shell_word(std::string_view text);

// A whole argument of an ssh_config keyword: as it is, or in double quotes. Tokens stay tokens.
std::string config_word(std::string_view text);

// Text in an argument that knows tokens, meant as it is: "%" is doubled; "${", which ssh expands
// from the environment and cannot be told to leave alone, throws usage Error.
std::string without_tokens(std::string_view text);

}  // namespace mayfly::sshconfig
