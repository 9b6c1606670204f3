// One open tunnel and nothing besides, from its first byte to its end: poll(2) instead of a loop
// for many.
#pragma once

#include <memory>
#include <string>

#include "access/pump/payload_observer.hpp"
#include "access/pump/pump.hpp"
#include "access/tls/tls.hpp"

namespace mayfly {

struct PolledParts {
  int local_in = -1, local_out = -1;  // non-blocking; perhaps a file, perhaps the same
  std::unique_ptr<TlsStream> stream;
  std::string early;     // what followed the upgrade's answer
  int interrupted = -1;  // readable from the first signal on; -1: there are none
  std::string name, ray;
  TellTraffic report = {};
  PayloadObserver observer = nullptr;
};

// Blocks until the end. SIGHUP ends the tunnel at once, other signals by a Close 1001. Throws
// std::system_error for descriptors that are not open.
Ending run_polled(PolledParts parts, const PumpOptions& options);

}  // namespace mayfly
