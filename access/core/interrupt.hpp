// Ctrl-C and SIGTERM as a descriptor that blocking waits can watch.
#pragma once

namespace mayfly {

// Installs handlers for SIGINT, SIGTERM and SIGHUP that only mark the interruption. Call once, in
// main.
void catch_interrupts();
// Readable from the first such signal on; -1 when catch_interrupts() was not called.
int interrupt_descriptor() noexcept;
// The signal's number, 0 when none came.
int interrupted_by() noexcept;

}  // namespace mayfly
