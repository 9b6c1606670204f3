// Ctrl-C and SIGTERM as a descriptor that blocking waits can watch.
#pragma once

namespace mayfly {

// Installs handlers for SIGINT, SIGTERM and SIGHUP that only mark the interruption; one that comes
// more than two seconds after the first ends the process. Call once, in main.
void catch_interrupts();
// Separates a forked child from its parent, with which it shares the descriptor until then, so that
// an interrupt of the one does not wake the other. Keep the signals blocked from before fork()
// until this returns.
void catch_interrupts_anew();
// Returns a descriptor that is readable from the first such signal on, or -1 before
// catch_interrupts().
int interrupt_descriptor() noexcept;
// Returns the number of the first such signal, or 0.
int interrupted_by() noexcept;

}  // namespace mayfly
