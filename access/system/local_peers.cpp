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

std::optional<ConnectedEnds> ends_of(int socket) noexcept {
  ConnectedEnds ends;
  socklen_t own_size = sizeof ends.own, peer_size = sizeof ends.peer;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&ends.own), &own_size) != 0 ||
      ::getpeername(socket, reinterpret_cast<sockaddr*>(&ends.peer), &peer_size) != 0)
    return std::nullopt;
  return ends;
}

}  // namespace

LocalPeers::LocalPeers() noexcept : sock_diag_(open_sock_diag()) {}

Presence LocalPeers::look(int socket) const noexcept {
  const auto ends = ends_of(socket);
  if (!ends) return Presence::unknown;
  if (ends->own.ss_family == AF_UNIX) return look_at_unix_socket(socket);
  switch (peer_socket(sock_diag_.get(), *ends).state) {
    case PeerSocket::State::held:
      return Presence::there;
    case PeerSocket::State::closed:
      return Presence::gone;
    case PeerSocket::State::absent:
      return Presence::absent;
    case PeerSocket::State::untold:
      break;
  }
  return Presence::unknown;
}

std::optional<unsigned> LocalPeers::user(int socket) const noexcept {
  const auto ends = ends_of(socket);
  if (!ends) return std::nullopt;
  const PeerSocket peer = peer_socket(sock_diag_.get(), *ends);
  return peer.state == PeerSocket::State::held ? std::optional(peer.user) : std::nullopt;
}

// The kernel forgets the socket of a program that is gone: after a minute at most.
Presence LocalPeer::look() noexcept {
  const Presence now = peers_ == nullptr ? Presence::unknown : peers_->look(socket_);
  if (now == Presence::there) was_there_ = true;
  if (now == Presence::absent) return was_there_ ? Presence::gone : Presence::unknown;
  return now == Presence::unknown && was_there_ ? Presence::there : now;
}

}  // namespace mayfly
