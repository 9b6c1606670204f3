// Quotes values of an ssh_config for their readers: ssh's word splitter, its tokens, and the user's
// shell.
#pragma once

#include <string>
#include <string_view>

namespace mayfly::sshconfig {

// All three functions throw Error(usage) for control characters, which no quoting protects within a
// line.

// Quotes a word for the shell that runs Match exec and ProxyCommand, if it needs quotes, and
// doubles "%" for ssh's token expansion. The result has no double quote, and no backslash that ssh
// would read as an escape, so that it may stand in exec "..." for every OpenSSH (9.9 changed how it
// splits words).
std::string shell_word(std::string_view text);

// Quotes an argument of an ssh_config keyword, if it needs quotes. Tokens such as %h keep their
// meaning.
std::string config_word(std::string_view text);

// Doubles each "%", for text in an argument in which ssh expands tokens. Throws Error(usage) for
// "${", since ssh always expands it from the environment.
std::string without_tokens(std::string_view text);

}  // namespace mayfly::sshconfig
