// SIGUSR1 to a tunnel, answered on stderr.
#pragma once

#include "access/transport/tunnel/tunnel.hpp"

namespace mayfly::cli {

// To be called before anything that may last, since the signal ends a process that does not expect
// it.
void report_traffic_on_signal(TunnelOptions& options);

}  // namespace mayfly::cli
