// SIGUSR1, which asks a running tunnel for a report, as a descriptor to watch.
#pragma once

namespace mayfly {

// Call once, before there are threads.
void catch_report_signal();
// Returns a descriptor that is readable from the signal until take_report_request(), or -1 before
// catch_report_signal().
int report_descriptor() noexcept;
// Returns whether the signal came since the last call.
bool take_report_request() noexcept;

}  // namespace mayfly
