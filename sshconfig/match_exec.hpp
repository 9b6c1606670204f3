// Reading an ssh_config without logging anybody in. ssh decides about a Match exec by running it
// with $SHELL, so that a program of ours there gets to see each command: those that would make a
// certificate count as done, all others run as ever.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mayfly::sshconfig {

// Its presence says that we are the shell; its value is the real one.
inline constexpr const char* real_shell_variable = "MAYFLY_MATCH_EXEC_SHELL";

// For ssh's environment; stand_in is the path of our program.
std::vector<std::pair<std::string, std::string>> match_exec_variables(std::string_view stand_in,
                                                                      std::string_view real_shell);

// Whether it is an ssh-gen, of mayfly or cloudflared.
bool makes_certificate(std::string_view command);

// The line on standard error by which the stand-in tells of such a command, and the command in it;
// nothing when the line is another one.
std::string match_exec_note(std::string_view command);
std::string_view noted_match_exec(std::string_view line);

}  // namespace mayfly::sshconfig
