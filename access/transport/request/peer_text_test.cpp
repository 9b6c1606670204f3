// Names of those at the other end.
#include "access/transport/request/peer_text.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "access/core/descriptor.hpp"

using namespace mayfly;

TEST_CASE("peer text: the process behind a Unix socket") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const Descriptor one(ends[0]), other(ends[1]);
  CHECK(peer_text(one.get()) == fmt::format("process {}", ::getpid()));
}

TEST_CASE("peer text: address and port") {
  const Descriptor listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(listening.get(), raw, size) == 0);
  REQUIRE(::listen(listening.get(), 1) == 0);
  REQUIRE(::getsockname(listening.get(), raw, &size) == 0);
  const Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(client.get(), raw, size) == 0);
  CHECK(peer_text(client.get()) == fmt::format("127.0.0.1:{}", ntohs(address.sin_port)));
}

TEST_CASE("peer text: nobody") {
  const Descriptor alone(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(peer_text(alone.get()).empty());
  CHECK(peer_text(-1).empty());
}
