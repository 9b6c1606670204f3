// Child processes that run a function of this program.
#pragma once

#include <sys/types.h>

#include <functional>

namespace mayfly {

// The result of the function is the exit code of the child.
using ChildWork = std::function<int()>;

// Forks a child that gets SIGTERM when this process ends, and that has its own interrupts
// (interrupt.hpp) from the start. Returns its process number, or -1 (errno).
pid_t fork_to(const ChildWork& work);

// Forks a process that goes on when this one ends: it is in a session of its own and is no child
// of this process, so that no signal to a terminal, a process group or a tree of processes reaches
// it. Its standard input and output lead to /dev/null, and it keeps no descriptor that this program
// was started with but standard error. Returns false (errno) if it cannot be forked.
bool fork_detached(const ChildWork& work);

// Leads standard error to /dev/null: a program that waits for the end of our messages need not wait
// for this process.
void leave_standard_error() noexcept;

}  // namespace mayfly
