// What a command that listens reports: its addresses, its readiness, and failures.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access/listen/listener.hpp"

namespace mayfly::cli {

// Returns "HOST:PORT" or "unix:PATH".
std::string authority(const ListenAddress& address);

// Appends the addresses, and sets the reports of a listener. announcement: the log's message for
// each address. Throws usage Error for an invalid address.
void listen_at(const std::vector<std::string>& addresses, std::string_view announcement,
               ListenOptions& options);

// For ListenerOptions::ended: warns of a tunnel that did not end well, and logs others with -v.
void log_bad_ending(const Ending& ending);

// Tells a service manager "READY=1" or "STOPPING=1" (sd_notify(3)). Does nothing if NOTIFY_SOCKET
// is not set or does not answer.
void notify_service_manager(std::string_view state);

}  // namespace mayfly::cli
