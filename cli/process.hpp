// What a process that holds keys does first.
#pragma once

namespace mayfly::cli {

// No core dumps, no ptrace by other processes of the same user; memory that OpenSSL gives back is
// wiped; SIGPIPE ignored, so that a closed pipe is an error that can be handled, and SIGUSR1, which
// is for tunnels and may be sent to all that is called mayfly. Throws Error(failed) when OpenSSL
// has been used before.
void harden_process();

// Overwrites the secrets in the process's own arguments, which everybody on the machine can read:
// the service token's secret, the values of headers, PINs in pkcs11: URIs, users and passwords in
// URLs, and all arguments of curl. Call first, in main; until then they can be read.
void hide_secrets(int argc, char** argv);

}  // namespace mayfly::cli
