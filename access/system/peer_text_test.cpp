// Names of those at the other end.
#include "access/system/peer_text.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

#include "access/system/descriptor.hpp"
#include "access/system/platform.hpp"
#include "access/testing/silent_port.hpp"

using namespace mayfly;

TEST_CASE("peer text: the process behind a Unix socket" *
          doctest::skip(platform == Platform::portable)) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const Descriptor one(ends[0]), other(ends[1]);
  CHECK(peer_text(one.get()) == fmt::format("process {}", ::getpid()));
}

TEST_CASE("peer text: address and port") {
  const testing::SilentPort listening(1);
  const Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(listening.connect(client) == 0);
  CHECK(peer_text(client.get()) == fmt::format("127.0.0.1:{}", listening.port));
}

TEST_CASE("peer text: nobody") {
  const Descriptor alone(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(peer_text(alone.get()).empty());
  CHECK(peer_text(-1).empty());
}
