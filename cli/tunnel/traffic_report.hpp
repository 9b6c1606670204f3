// SIGUSR1 to a tunnel, answered on stderr.
#pragma once

#include "access/tunnel/tunnel.hpp"

namespace mayfly::cli {

// To be called before anything that may last: until then the signal is ignored.
void report_traffic_on_signal(TunnelOptions& options);

}  // namespace mayfly::cli
