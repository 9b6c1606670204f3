#include "access/system/sock_diag.hpp"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace mayfly {
namespace {

struct Request {
  nlmsghdr header{};
  inet_diag_req_v2 wanted{};
};

struct Answer {
  nlmsghdr header{};
  union {
    inet_diag_msg socket{};
    nlmsgerr error;
  };
};

void put(const sockaddr_storage& end, __be16& port, __be32 (&address)[4]) {
  if (end.ss_family == AF_INET) {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(end);
    port = ipv4.sin_port;
    std::memcpy(address, &ipv4.sin_addr, sizeof ipv4.sin_addr);
  } else {
    const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(end);
    port = ipv6.sin6_port;
    std::memcpy(address, &ipv6.sin6_addr, sizeof ipv6.sin6_addr);
  }
}

// The socket whose own address is the peer's: the other end of the same connection.
Request request_for(const ConnectedEnds& ends) {
  Request request;
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.wanted.sdiag_family = static_cast<std::uint8_t>(ends.peer.ss_family);
  request.wanted.sdiag_protocol = IPPROTO_TCP;
  request.wanted.idiag_states = ~0U;
  inet_diag_sockid& id = request.wanted.id;
  put(ends.peer, id.idiag_sport, id.idiag_src);
  put(ends.own, id.idiag_dport, id.idiag_dst);
  id.idiag_cookie[0] = id.idiag_cookie[1] = static_cast<std::uint32_t>(INET_DIAG_NOCOOKIE);
  return request;
}

}  // namespace

Descriptor open_sock_diag() noexcept {
  return open_socket({.family = AF_NETLINK, .type = SOCK_DGRAM, .protocol = NETLINK_SOCK_DIAG});
}

PeerSocket peer_socket(int sock_diag, const ConnectedEnds& ends) noexcept {
  using State = PeerSocket::State;
  const sa_family_t family = ends.peer.ss_family;
  if (sock_diag < 0 || (family != AF_INET && family != AF_INET6)) return {};
  Answer answer;
  // An answer that an earlier call could not take would pass for this one's.
  while (::recv(sock_diag, &answer, sizeof answer, MSG_DONTWAIT) >= 0) {
  }
  const Request request = request_for(ends);
  if (::send(sock_diag, &request, sizeof request, MSG_DONTWAIT) != sizeof request) return {};
  // The kernel has answered before send() returns. Attributes that follow are dropped.
  const ssize_t size = ::recv(sock_diag, &answer, sizeof answer, MSG_DONTWAIT);
  if (size < static_cast<ssize_t>(sizeof answer.header + sizeof answer.error)) return {};
  if (answer.header.nlmsg_type == NLMSG_ERROR)
    return {.state = answer.error.error == -ENOENT ? State::absent : State::untold};
  if (size != sizeof answer || answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return {};
  // Without such a connection, the kernel may name a socket that listens at the peer's port.
  if (answer.socket.id.idiag_dport != request.wanted.id.idiag_dport)
    return {.state = State::absent};
  if (answer.socket.idiag_inode == 0) return {.state = State::closed};
  return {.state = State::held, .user = answer.socket.idiag_uid};
}

}  // namespace mayfly
