// Who is at the other end of a socket.
#pragma once

#include <string>

namespace mayfly {

// "127.0.0.1:53412", "[::1]:53412", "process 4711" by a Unix socket; "" when that cannot be told.
std::string peer_text(int socket);

}  // namespace mayfly
