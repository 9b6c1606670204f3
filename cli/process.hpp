// What a process that holds keys does first.
#pragma once

namespace mayfly::cli {

// No core dumps, no ptrace by other processes of the same user; memory that OpenSSL gives back is
// wiped; SIGPIPE ignored, so that a closed pipe is an error that can be handled, and SIGUSR1, which
// is for tunnels and may be sent to all that is called mayfly. Before OpenSSL is used.
void harden_process();

// Overwrites the values of --service-token-secret in the process's own arguments, which everybody
// on the machine can read. For a moment they could.
void hide_secrets(int argc, char** argv) noexcept;

}  // namespace mayfly::cli
