// The sockets that a service manager has opened for this process (sd_listen_fds(3)).
#pragma once

#include <vector>

#include "access/listen/listen_address.hpp"

namespace mayfly {

// Returns the address of each socket, which ListeningSocket::open() then takes over, if LISTEN_PID
// names this process. Removes LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES; no other program inherits
// the sockets. Throws usage Error for a descriptor that does not listen.
std::vector<ListenAddress> inherited_sockets();

}  // namespace mayfly
