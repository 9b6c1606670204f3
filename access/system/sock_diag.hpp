// Asks the kernel about TCP sockets of this computer (sock_diag(7)).
#pragma once

#include <sys/socket.h>

#include <optional>

#include "access/system/descriptor.hpp"

namespace mayfly {

// Opens a socket to the kernel. Returns an empty Descriptor if the system has none. Portable:
// empty.
Descriptor open_sock_diag() noexcept;

struct ConnectedEnds {
  sockaddr_storage own{}, peer{};
};
// Returns whether a process holds the socket at the peer's end of a TCP connection, or nullopt if
// this network namespace has no such socket or the system cannot tell. Portable: nullopt.
std::optional<bool> peer_is_held(int sock_diag, const ConnectedEnds& ends) noexcept;

}  // namespace mayfly
