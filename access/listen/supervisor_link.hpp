// The socket between a listener and the process that runs a program with it (mayfly tcp --
// PROGRAM).
#pragma once

#include <sys/types.h>

namespace mayfly {

// A listener reads one of these from the process.
enum class SupervisorWord { none, program_has_ended, gone };

// Names the program, which the listener tells with SIGTERM if this process dies, on a system where
// the kernel does not (platform.hpp).
void tell_program(int socket, pid_t program) noexcept;
// Has the listener deliver the bytes of open connections and end.
void tell_program_has_ended(int socket) noexcept;

// Reads from the socket without waiting. gone: the process has died.
SupervisorWord hear_supervisor(int socket) noexcept;

}  // namespace mayfly
