// What a process that holds keys does first.
#pragma once

namespace mayfly::cli {

// No core dumps, no ptrace by other processes of the same user; SIGPIPE ignored, so that a closed
// pipe is an error that can be handled.
void harden_process();

}  // namespace mayfly::cli
