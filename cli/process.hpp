// Protects the secrets of the process, before any other code runs.
#pragma once

namespace mayfly::cli {

// Forbids core dumps and ptrace by other processes, makes OpenSSL wipe the memory that it frees,
// and ignores SIGPIPE, so that a closed pipe is an error, and SIGUSR1, which is for tunnels but may
// be sent to every process called mayfly. Throws Error(failed) if OpenSSL has been used before.
void harden_process();

// Overwrites the secrets in argv, which every user of the machine can read: the service token's
// secret, the values of headers, PINs in pkcs11: URIs, users and passwords in URLs, and all
// arguments of curl.
void hide_secrets(int argc, char** argv);

}  // namespace mayfly::cli
