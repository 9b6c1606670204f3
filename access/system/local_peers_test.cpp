// Real sockets: which programs still hold the other end.
#include "access/system/local_peers.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <optional>

#include "access/core/clock.hpp"
#include "access/system/platform.hpp"
#include "access/system/sock_diag.hpp"

using namespace mayfly;

namespace {

// A connection over loopback, whose client may be an IPv6 socket that speaks IPv4.
struct Connection {
  enum class Kind { ipv4, ipv6, mapped };
  Descriptor client, server;

  // Returns nullopt if this computer has no such loopback.
  static std::optional<Connection> make(Kind kind) {
    const int family = kind == Kind::ipv6 ? AF_INET6 : AF_INET;
    const Descriptor listening = open_socket({.family = family});
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    address.ss_family = static_cast<sa_family_t>(family);
    if (family == AF_INET)
      reinterpret_cast<sockaddr_in&>(address).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
      reinterpret_cast<sockaddr_in6&>(address).sin6_addr = in6addr_loopback;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listening.get(), raw, size) != 0 || ::listen(listening.get(), 1) != 0)
      return std::nullopt;
    REQUIRE(::getsockname(listening.get(), raw, &size) == 0);
    if (kind == Kind::mapped) {
      sockaddr_in6 mapped{};
      mapped.sin6_family = AF_INET6;
      mapped.sin6_port = reinterpret_cast<sockaddr_in&>(address).sin_port;
      if (::inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr) != 1) return std::nullopt;
      std::memcpy(&address, &mapped, sizeof mapped);
      size = sizeof mapped;
    }
    Descriptor client = open_socket({.family = address.ss_family});
    if (!client || ::connect(client.get(), raw, size) != 0) return std::nullopt;
    return Connection{std::move(client), accept_connection(listening.get())};
  }
};

ConnectedEnds ends_of(int socket) {
  ConnectedEnds ends;
  socklen_t own = sizeof ends.own, peer = sizeof ends.peer;
  REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&ends.own), &own) == 0);
  REQUIRE(::getpeername(socket, reinterpret_cast<sockaddr*>(&ends.peer), &peer) == 0);
  return ends;
}

}  // namespace

TEST_CASE("a TCP client that finished sending is told from a client that is gone") {
  if (platform != Platform::linux_kernel) return;
  const LocalPeers peers;
  for (const auto kind :
       {Connection::Kind::ipv4, Connection::Kind::ipv6, Connection::Kind::mapped}) {
    CAPTURE(static_cast<int>(kind));
    auto connection = Connection::make(kind);
    if (!connection) continue;
    auto& [client, server] = *connection;
    CHECK(peers.look(server.get()) == Presence::there);
    REQUIRE(::shutdown(client.get(), SHUT_WR) == 0);
    CHECK(peers.look(server.get()) == Presence::there);
    SUBCASE("closed") {
      client = {};
      CHECK(peers.look(server.get()) == Presence::gone);
    }
    SUBCASE("closed, while another process has a copy") {
      const Descriptor copy(::dup(client.get()));
      client = {};
      CHECK(peers.look(server.get()) == Presence::there);
    }
  }
}

TEST_CASE("the user of a local client is known as long as a process holds its end") {
  if (platform != Platform::linux_kernel) return;
  const LocalPeers peers;
  auto connection = Connection::make(Connection::Kind::ipv4);
  REQUIRE(connection);
  const PeerSocket there = peers.other_end(connection->server.get());
  CHECK(there.state == PeerSocket::State::held);
  CHECK(there.user == ::geteuid());
  const Descriptor copy(::dup(connection->client.get()));
  REQUIRE(::shutdown(connection->client.get(), SHUT_WR) == 0);
  CHECK(peers.other_end(connection->server.get()).state == PeerSocket::State::held);
  connection->client = {};
  CHECK(peers.other_end(connection->server.get()).state == PeerSocket::State::held);
}

TEST_CASE("a client that has closed or reset its end is not taken for one that is not known") {
  if (platform != Platform::linux_kernel) return;
  const LocalPeers peers;
  for (const bool resets : {false, true}) {
    auto connection = Connection::make(Connection::Kind::ipv4);
    REQUIRE(connection);
    const linger at_once{.l_onoff = resets ? 1 : 0, .l_linger = 0};
    REQUIRE(::setsockopt(connection->client.get(), SOL_SOCKET, SO_LINGER, &at_once,
                         sizeof at_once) == 0);
    connection->client = {};
    const auto state = peers.other_end(connection->server.get()).state;
    CHECK(state == (resets ? PeerSocket::State::absent : PeerSocket::State::closed));
  }
}

TEST_CASE("a client that resets its end while the kernel is asked is absent, and not untold") {
  if (platform != Platform::linux_kernel) return;
  const Descriptor sock_diag = open_sock_diag();
  auto connection = Connection::make(Connection::Kind::ipv4);
  REQUIRE(connection);
  const ConnectedEnds ends = ends_of(connection->server.get());
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  REQUIRE(::setsockopt(connection->client.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) ==
          0);
  connection->client = {};
  CHECK(peer_socket(sock_diag.get(), ends).state == PeerSocket::State::absent);
}

TEST_CASE("this kernel tells of connections over loopback") {
  CHECK(LocalPeers().tells_of_connections() == (platform == Platform::linux_kernel));
}

TEST_CASE("of what is no connection, no other end is known") {
  const LocalPeers peers;
  CHECK(peers.other_end(-1).state == PeerSocket::State::absent);
}

TEST_CASE("an end that was never here is not taken for one that is gone") {
  if (platform != Platform::linux_kernel) return;
  const LocalPeers peers;
  auto connection = Connection::make(Connection::Kind::ipv4);
  REQUIRE(connection);
  const int server = connection->server.get();
  LocalPeer seen(&peers, server), unseen(&peers, server), never_asked(nullptr, server);
  CHECK(seen.look() == Presence::there);
  const int forgotten_after = 1;  // seconds
  REQUIRE(::setsockopt(connection->client.get(), IPPROTO_TCP, TCP_LINGER2, &forgotten_after,
                       sizeof forgotten_after) == 0);
  connection->client = {};
  const TimeLimit limit(std::chrono::seconds(60));
  while (peers.look(server) != Presence::absent && !limit.is_over()) ::usleep(20'000);
  REQUIRE(peers.look(server) == Presence::absent);
  CHECK(seen.look() == Presence::gone);
  CHECK(unseen.look() == Presence::unknown);
  CHECK(never_asked.look() == Presence::unknown);
}

TEST_CASE("an answer that an earlier question left behind is not taken for this one's") {
  if (platform != Platform::linux_kernel) return;
  const Descriptor sock_diag = open_sock_diag();
  auto connection = Connection::make(Connection::Kind::ipv4);
  REQUIRE(connection);
  const ConnectedEnds ends = ends_of(connection->server.get());
  // No such family: the kernel answers with an error, which nobody reads.
  nlmsghdr wrong{};
  wrong.nlmsg_len = sizeof wrong;
  wrong.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  wrong.nlmsg_flags = NLM_F_REQUEST;
  REQUIRE(::send(sock_diag.get(), &wrong, sizeof wrong, 0) == sizeof wrong);
  CHECK(peer_socket(sock_diag.get(), ends).state == PeerSocket::State::held);
}

TEST_CASE("a Unix client that finished sending is told from a client that is gone") {
  const LocalPeers peers;
  auto [ours, theirs] = make_socket_pair("cannot test");
  REQUIRE(::shutdown(theirs.get(), SHUT_WR) == 0);
  CHECK(peers.look(ours.get()) == Presence::there);
  theirs = {};
  CHECK(peers.look(ours.get()) == Presence::gone);
}

TEST_CASE("nothing is known of what is no connection of this computer") {
  const LocalPeers peers;
  const Pipe pipe = make_pipe("cannot test");
  CHECK(peers.look(pipe.reading.get()) == Presence::unknown);
  CHECK(peers.look(-1) == Presence::unknown);
  const Descriptor unconnected = open_socket({.family = AF_INET});
  CHECK(peers.look(unconnected.get()) == Presence::unknown);
}
