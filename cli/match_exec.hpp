// mayfly in the place of the shell that ssh runs Match exec with (sshconfig/match_exec.hpp).
#pragma once

#include <optional>

namespace mayfly::cli {

// The exit code for ssh when we were started as its shell; nothing when we were not. A command that
// is not ours is handed to the real shell, and this does not return.
std::optional<int> stand_in_for_shell(int argc, char** argv);

// Whether some program above us is ssh with us as its shell: nobody may be logged in.
bool is_read_only_match_exec();

}  // namespace mayfly::cli
