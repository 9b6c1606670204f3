#include "access/system/local_peers.hpp"

#include <netinet/in.h>
#include <poll.h>

#include <optional>

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

PeerSocket LocalPeers::other_end(int socket) const noexcept {
  const auto ends = ends_of(socket);
  if (!ends) return {.state = PeerSocket::State::absent};  // it was reset
  return peer_socket(sock_diag_.get(), *ends);
}

PeerSocket LocalPeers::own_end(int socket) const noexcept {
  const auto ends = ends_of(socket);
  if (!ends) return {};
  return peer_socket(sock_diag_.get(), {.own = ends->peer, .peer = ends->own});
}

bool LocalPeers::tells_of_connections() const noexcept {
  const Descriptor listening = open_socket({.family = AF_INET});
  const Descriptor client = open_socket({.family = AF_INET});
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  // The kernel completes the connection without accept(2).
  return ::bind(listening.get(), raw, size) == 0 && ::listen(listening.get(), 1) == 0 &&
         ::getsockname(listening.get(), raw, &size) == 0 &&
         ::connect(client.get(), raw, size) == 0 &&
         own_end(client.get()).state == PeerSocket::State::held;
}

// The kernel forgets the socket of a program that is gone: after a minute at most.
Presence LocalPeer::look() noexcept {
  const Presence now = peers_ == nullptr ? Presence::unknown : peers_->look(socket_);
  if (now == Presence::there) was_there_ = true;
  if (now == Presence::absent) return was_there_ ? Presence::gone : Presence::unknown;
  return now == Presence::unknown && was_there_ ? Presence::there : now;
}

}  // namespace mayfly
