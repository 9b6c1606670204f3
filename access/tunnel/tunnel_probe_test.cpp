// Probing a tunnel step by step, over real TLS.
#include "access/tunnel/tunnel_probe.hpp"

#include <doctest/doctest.h>

#include "access/testing/authority.hpp"
#include "access/testing/server.hpp"
#include "access/testing/tunnel.hpp"

using namespace mayfly;
using namespace mayfly::testing;
using namespace std::chrono_literals;

namespace {

// Returns a frame of the origin (RFC 6455 section 5.2: final and binary, not masked).
std::string frame(std::string_view payload) {
  REQUIRE(payload.size() < 126);
  return std::string("\x82") + static_cast<char>(payload.size()) + std::string(payload);
}

Heard heard_from(const std::string& frames, std::chrono::milliseconds patience) {
  TestServer server(
      serving([&](const std::string& request) { return upgraded(request) + frames; }));
  TunnelProbe probe(tunnel_to(server.port()));
  REQUIRE(probe.upgrade({}, may_always_send).status == 101);
  return probe.hear("SSH-", patience);
}

}  // namespace

TEST_CASE("the handshake shows version, certificate and the request for a client certificate") {
  TestServerOptions with = serving(upgraded);
  SUBCASE("of TLS 1.3") {
    TestServer server(with);
    const ProbedTls tls = TunnelProbe(tunnel_to(server.port())).shake_hands();
    CHECK_FALSE(tls.failure);
    CHECK(tls.version == "TLSv1.3");
    CHECK_FALSE(tls.group.empty());
    REQUIRE(tls.server);
    CHECK(tls.server->issuer == "CN=Test Root");
    CHECK_FALSE(tls.request.asked);
  }
  SUBCASE("of TLS 1.2, where a client certificate is requested") {
    with.highest_tls = "1.2";
    with.client_ca = authority().path("ca.pem");
    TestServer server(with);
    const ProbedTls tls = TunnelProbe(tunnel_to(server.port())).shake_hands();
    CHECK_FALSE(tls.failure);
    CHECK(tls.version == "TLSv1.2");
    CHECK(tls.request.asked);
    CHECK(tls.request.acceptable_issuers == std::vector<std::string>{"CN=Test Root"});
  }
}

TEST_CASE("a failed handshake is reported with the server's certificate") {
  TestServer server(serving(upgraded));
  TunnelOptions options = tunnel_to(server.port());
  const TestAuthority other("Other Root");
  options.connection.ca_file = other.path("ca.pem");
  const ProbedTls tls = TunnelProbe(options).shake_hands();
  REQUIRE(tls.failure);
  CHECK(tls.failure->message().find("\"CN=Test Root\", which is not trusted here") !=
        std::string::npos);
  CHECK_FALSE(tls.has_wrong_dates);
  REQUIRE(tls.server);
  CHECK(tls.server->issuer == "CN=Test Root");
}

TEST_CASE("an expired certificate is reported as having wrong dates") {
  authority().issue_expired_server("old", "DNS:app.example");
  TestServerOptions with = serving(upgraded);
  with.certificate = authority().path("old.pem");
  with.key = authority().path("old.key");
  TestServer server(with);
  const ProbedTls tls = TunnelProbe(tunnel_to(server.port())).shake_hands();
  REQUIRE(tls.failure);
  CHECK(tls.has_wrong_dates);
}

TEST_CASE("a refused connection is an error of the network") {
  CHECK_THROWS_AS(TunnelProbe(tunnel_to(1)).shake_hands(), Error);
}

TEST_CASE("an answer other than 101 is returned") {
  TestServer server(serving([](const std::string&) {
    return "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nCF-RAY: 1-AMS\r\n\r\n";
  }));
  TunnelProbe probe(tunnel_to(server.port()));
  const Response response = probe.upgrade({{"Cf-Access-Token", "x"}}, may_always_send);
  CHECK(response.status == 403);
  CHECK(response.headers.find("cf-ray") == "1-AMS");
}

TEST_CASE("the expected line ends the reading") {
  CHECK(heard_from(frame("SSH-2.0-x\r\n"), 60s).text == "SSH-2.0-x\r\n");
  CHECK(heard_from(frame("welcome\r\nSSH") + frame("-2.0-x\r\n"), 60s).text ==
        "welcome\r\nSSH-2.0-x\r\n");
}

TEST_CASE("the end of the tunnel ends the reading") {
  // A Close with code 1011 (RFC 6455 section 5.5.1).
  const Heard heard = heard_from(frame("220 hello\r\n") + "\x88\x02\x03\xf3", 60s);
  CHECK(heard.text == "220 hello\r\n");
  REQUIRE(heard.ending);
  CHECK(heard.ending->close_code == 1011);
}

TEST_CASE("silence ends the reading when the time is over") {
  const Heard heard = heard_from("", 20ms);
  CHECK(heard.text.empty());
  CHECK_FALSE(heard.ending);
}

TEST_CASE("too many bytes end the reading") {
  std::string flood;
  for (int i = 0; i < 100; ++i) flood += frame(std::string(100, 'x'));
  const Heard heard = heard_from(flood, 60s);
  CHECK(heard.text.size() >= 4096);
  CHECK(heard.text.size() < 8192);
}
