// Real sockets: which programs still hold the other end.
#include "access/system/local_peers.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <optional>

#include "access/system/platform.hpp"

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
