// The name of the other end of a socket, for messages.
#pragma once

#include <string>

namespace mayfly {

// Returns "127.0.0.1:53412", "[::1]:53412", or "process 4711" for a Unix socket; "" if unknown.
std::string peer_text(int socket);

}  // namespace mayfly
