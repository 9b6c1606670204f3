// Ctrl-C and SIGTERM as a descriptor that blocking waits can watch.
#pragma once

namespace mayfly {

// Installs handlers for SIGINT, SIGTERM and SIGHUP that only mark the interruption; one that comes
// more than two seconds after the first ends the process. Call once, in main.
void catch_interrupts();
// For a forked child, which shares the descriptor with its parent until then: what interrupts the
// one is to say nothing to the other. Keep the signals blocked from before fork() until it has
// returned.
void catch_interrupts_anew();
// Readable from the first such signal on; -1 when catch_interrupts() was not called.
int interrupt_descriptor() noexcept;
// The signal's number, 0 when none came.
int interrupted_by() noexcept;

}  // namespace mayfly
