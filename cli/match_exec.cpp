#include "cli/match_exec.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "cli/environment.hpp"
#include "cli/terminal/message.hpp"
#include "sshconfig/match_exec.hpp"

namespace mayfly::cli {

std::optional<int> stand_in_for_shell(int argc, char** argv) {
  const std::string shell = variable(sshconfig::real_shell_variable);
  if (shell.empty() || argc != 3 || std::string_view(argv[1]) != "-c") return std::nullopt;
  if (sshconfig::makes_certificate(argv[2])) {
    print_notice(sshconfig::match_exec_note(argv[2]));
    return 0;
  }
  ::setenv("SHELL", shell.c_str(), 1);
  ::execl(shell.c_str(), shell.c_str(), "-c", argv[2], static_cast<char*>(nullptr));
  return 127;  // as a shell says it: the program was not found
}

bool is_read_only_match_exec() {
  return !variable(sshconfig::real_shell_variable).empty();
}

}  // namespace mayfly::cli
