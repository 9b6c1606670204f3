// Support for tests of tunnels: a server that upgrades, and options to reach it.
#pragma once

#include <fmt/core.h>

#include <string>

#include "access/testing/authority.hpp"
#include "access/testing/server.hpp"
#include "access/tunnel/tunnel.hpp"
#include "access/websocket/websocket.hpp"

namespace mayfly::testing {

// Shared by all test cases, since making an authority takes longer than most of them.
inline const TestAuthority& authority() {
  struct Issued {
    TestAuthority made;
    Issued() { made.issue_server("app", "DNS:app.example"); }
  };
  static const Issued issued;
  return issued.made;
}

inline TestServerOptions serving(std::function<std::string(const std::string&)> answer) {
  TestServerOptions options;
  options.certificate = authority().path("app.pem");
  options.key = authority().path("app.key");
  options.answer = std::move(answer);
  return options;
}

// Returns the 101 for a request. (websocket_test.cpp compares accept_for() with RFC 6455.)
inline std::string upgraded(const std::string& request) {
  constexpr std::string_view name = "Sec-WebSocket-Key: ";
  const std::size_t at = request.find(name) + name.size();
  return fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: {}\r\n\r\n",
      websocket::accept_for(request.substr(at, request.find("\r\n", at) - at)));
}

inline TunnelOptions tunnel_to(int port) {
  TunnelOptions options;
  options.url = parse_url("app.example");
  options.connection.user_agent = "mayfly-test";
  options.connection.ca_file = authority().path("ca.pem");
  options.connection.connect_to = {fmt::format("::127.0.0.1:{}", port)};
  return options;
}

}  // namespace mayfly::testing
