// Runs one open tunnel until it ends, with poll(2) instead of an event loop for many.
#pragma once

#include <string>

#include "access/dial/dial.hpp"
#include "access/pump/observed_end.hpp"
#include "access/pump/pump.hpp"

namespace mayfly {

struct PolledParts {
  int local_in = -1, local_out = -1;  // non-blocking; may be files, or the same descriptor
  Dialer::Open open;
  int interrupted = -1;  // becomes readable at the first signal; -1: signals are not caught
  std::string name;      // for reports; printable
  TellTraffic report = {};
  PayloadObserver observer = nullptr;
};

// Blocks until the tunnel ends. SIGHUP ends it at once, another signal by a Close 1001. Throws
// std::system_error if a descriptor is not open.
Ending run_polled(PolledParts parts, const PumpOptions& options);

}  // namespace mayfly
