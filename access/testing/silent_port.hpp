// For tests: a port of this computer where nobody speaks.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

#include "access/system/descriptor.hpp"

namespace mayfly::testing {

// Connections are refused until it listens, and wait for ever then, since it accepts none.
struct SilentPort {
  Descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  std::uint16_t port = 0;

  SilentPort() {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(socket.get(), raw, size) == 0);
    REQUIRE(::getsockname(socket.get(), raw, &size) == 0);
    port = ntohs(address.sin_port);
  }
  explicit SilentPort(int backlog) : SilentPort() { REQUIRE(::listen(socket.get(), backlog) == 0); }

  // What connect() came to.
  int connect(const Descriptor& client) const {
    return ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
};

}  // namespace mayfly::testing
