// Telling a service manager that the listener is ready, or ending (sd_notify(3)).
#pragma once

#include <string_view>

namespace mayfly::cli {

// Sends "READY=1" or "STOPPING=1" to the datagram socket in NOTIFY_SOCKET; does nothing when that
// is not set. A manager that does not listen is no reason to fail.
void notify_service_manager(std::string_view state);

}  // namespace mayfly::cli
