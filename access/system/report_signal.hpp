// SIGUSR1, by which a person asks a running tunnel how it goes, as a descriptor to watch.
#pragma once

namespace mayfly {

// Call once, before there are threads.
void catch_report_signal();
// Readable from the signal on until take_report_request(); -1 when it is not caught.
int report_descriptor() noexcept;
// True once for any number of signals since the last time.
bool take_report_request() noexcept;

}  // namespace mayfly
