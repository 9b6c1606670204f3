#include "access/system/local_peers.hpp"

#include <poll.h>

#include "access/system/sock_diag.hpp"

namespace mayfly {
namespace {

// A Unix socket hangs up when its other end is closed, and not when that end only finishes sending.
Presence look_at_unix_socket(int socket) noexcept {
  pollfd state{.fd = socket, .events = 0, .revents = 0};
  if (::poll(&state, 1, 0) < 0) return Presence::unknown;
  return (state.revents & POLLHUP) != 0 ? Presence::gone : Presence::there;
}

}  // namespace

LocalPeers::LocalPeers() noexcept : sock_diag_(open_sock_diag()) {}

Presence LocalPeers::look(int socket) const noexcept {
  ConnectedEnds ends;
  socklen_t own_size = sizeof ends.own, peer_size = sizeof ends.peer;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&ends.own), &own_size) != 0)
    return Presence::unknown;
  if (ends.own.ss_family == AF_UNIX) return look_at_unix_socket(socket);
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&ends.peer), &peer_size) != 0)
    return Presence::unknown;
  const auto held = peer_is_held(sock_diag_.get(), ends);
  if (!held) return Presence::unknown;
  return *held ? Presence::there : Presence::gone;
}

}  // namespace mayfly
