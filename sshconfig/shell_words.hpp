// A shell command taken apart, as far as its words can be known without running anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mayfly::sshconfig {

// The words of the first simple command, quotes removed (POSIX, Shell Command Language, section
// 2.2): it ends where an operator begins. Expansions stay as they are written, but for the
// characters that shell_word() has the shell make.
std::vector<std::string> shell_words(std::string_view command);

// The program that a command runs: the first word that is neither an assignment nor "exec". "" when
// there is none.
std::string program_of(const std::vector<std::string>& words);

}  // namespace mayfly::sshconfig
