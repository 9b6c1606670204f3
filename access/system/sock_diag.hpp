// Asks the kernel about TCP sockets of this computer (sock_diag(7)).
#pragma once

#include <sys/socket.h>

#include "access/system/descriptor.hpp"

namespace mayfly {

// Opens a socket to the kernel. Returns an empty Descriptor if the system has none. Portable:
// empty.
Descriptor open_sock_diag() noexcept;

struct ConnectedEnds {
  sockaddr_storage own{}, peer{};
};
// The socket at the peer's end of a TCP connection.
struct PeerSocket {
  enum class State {
    untold,  // the kernel did not answer
    absent,  // this network namespace has no such socket
    closed,  // no process holds it any more
    held,
  };
  State state = State::untold;
  unsigned user = 0;  // whose process made it; only if it is held
};
// Asks for that socket. Portable: untold.
PeerSocket peer_socket(int sock_diag, const ConnectedEnds& ends) noexcept;

}  // namespace mayfly
