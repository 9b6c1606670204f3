// Dialing over real TLS: what opens a tunnel, what does not, and why.
#include "access/dial/dial.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <optional>

#include "access/core/error.hpp"
#include "access/testing/authority.hpp"
#include "access/testing/proxy.hpp"
#include "access/testing/server.hpp"
#include "access/testing/silent_port.hpp"
#include "access/testing/tunnel.hpp"
#include "access/tls/client_certificate.hpp"

using namespace mayfly;
using namespace mayfly::testing;
using namespace std::chrono_literals;

namespace {

Dialer::Outcome dial(Dialer& dialer, Headers headers = {}) {
  asio::io_context loop;
  std::optional<Dialer::Outcome> outcome;
  std::exception_ptr thrown;
  asio::co_spawn(loop, dialer.dial(std::move(headers)),
                 [&](std::exception_ptr error, Dialer::Outcome result) {
                   thrown = error;
                   if (!error) outcome = std::move(result);
                 });
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
  return std::move(outcome.value());
}

Error dial_error(const TunnelOptions& options) {
  try {
    Dialer dialer(options, TlsContext::Buffers::keep);
    dial(dialer);
  } catch (const Error& error) {
    return error;
  }
  FAIL_CHECK("nothing was thrown");
  return {ErrorKind::usage, ""};
}

// A port on which connections are taken by the kernel and never answered, or refused once closed.

}  // namespace

TEST_CASE("a tunnel is opened with our headers, and what came early is kept") {
  std::string seen;
  TestServer server(serving([&](const std::string& request) {
    seen = request;
    return upgraded(request) + "\x82\x05hello";
  }));
  TunnelOptions options = tunnel_to(server.port());
  options.headers = {{"Cf-Access-Jump-Destination", "db:5432"}};
  Dialer dialer(options, TlsContext::Buffers::release);
  auto outcome = dial(dialer, {{"Cf-Access-Token", "secret"}});
  auto& open = std::get<Dialer::Open>(outcome);
  CHECK(open.early == "\x82\x05hello");
  CHECK(seen.find("Host: app.example\r\n") != std::string::npos);
  CHECK(seen.find("Cf-Access-Token: secret\r\n") != std::string::npos);
  CHECK(seen.find("Cf-Access-Jump-Destination: db:5432\r\n") != std::string::npos);
  CHECK(seen.find("User-Agent: mayfly-test\r\n") != std::string::npos);
}

TEST_CASE("headers that may no longer be sent once there is a connection are not sent") {
  std::string seen;
  TestServer server(serving([&](const std::string& request) {
    seen = request;
    return upgraded(request);
  }));
  const TunnelOptions options = tunnel_to(server.port());
  Dialer dialer(options, TlsContext::Buffers::keep);
  asio::io_context loop;
  std::exception_ptr thrown;
  Headers asked;
  const MaySend never = [&](const Headers& headers) {
    asked = headers;
    return false;
  };
  asio::co_spawn(loop, dialer.dial({{"Cf-Access-Token", "secret"}}, never),
                 [&](std::exception_ptr error, const Dialer::Outcome&) { thrown = error; });
  loop.run();
  REQUIRE(thrown);
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::login_needed);
    CHECK(error.hint() == fmt::format("run: mayfly access login {}", options.url.text()));
  }
  CHECK(asked.find("Cf-Access-Token") == "secret");
  CHECK(seen.empty());
}

TEST_CASE("another answer comes back with its body") {
  TestServer server(serving([](const std::string&) {
    return "HTTP/1.1 530 \r\nContent-Length: 16\r\nCF-RAY: 1-AMS\r\n\r\nerror code: 1033";
  }));
  const TunnelOptions options = tunnel_to(server.port());
  Dialer dialer(options, TlsContext::Buffers::keep);
  const auto outcome = dial(dialer);
  const auto& response = std::get<Response>(outcome);
  CHECK(response.status == 530);
  CHECK(response.headers.find("cf-ray") == "1-AMS");
  CHECK(response.body == "error code: 1033");
}

TEST_CASE("the body of another answer ends with its last chunk") {
  TestServer server(serving([](const std::string&) {
    return "HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n"
           "5\r\nerror\r\n6\r\n code:\r\n0\r\n\r\nmore";
  }));
  const TunnelOptions options = tunnel_to(server.port());
  Dialer dialer(options, TlsContext::Buffers::keep);
  const auto outcome = dial(dialer);
  CHECK(std::get<Response>(outcome).body == "error code:");
}

TEST_CASE("a wrong 101 is no tunnel") {
  TestServer server(serving([](const std::string&) {
    return "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
  }));
  const Error error = dial_error(tunnel_to(server.port()));
  CHECK(error.kind() == ErrorKind::protocol);
  CHECK(error.message().find("Sec-WebSocket-Accept") != std::string::npos);
}

TEST_CASE("the server's certificate must be trusted and for this name") {
  TestServer server(serving(upgraded));
  TunnelOptions options = tunnel_to(server.port());
  SUBCASE("another authority") {
    const TestAuthority other("Other Root");
    options.connection.ca_file = other.path("ca.pem");
    const Error error = dial_error(options);
    CHECK(error.kind() == ErrorKind::network);
    CHECK(error.message() ==
          "cannot trust app.example: its certificate was issued by \"CN=Test Root\", which is not "
          "trusted here");
  }
  SUBCASE("another name") {
    options.url.host = "wrong.example";
    const Error error = dial_error(options);
    CHECK(error.kind() == ErrorKind::network);
    CHECK(error.message() ==
          "cannot trust wrong.example: its certificate is for app.example, issued by "
          "\"CN=Test Root\"");
  }
  SUBCASE("no verification, when told so") {
    options.url.host = "wrong.example";
    options.connection.verify = ConnectionOptions::Verify::no;
    Dialer dialer(options, TlsContext::Buffers::keep);
    CHECK(std::holds_alternative<Dialer::Open>(dial(dialer)));
  }
  SUBCASE("a file that is not there") {
    options.connection.ca_file = "/nonexistent/ca.pem";
    CHECK(dial_error(options).kind() == ErrorKind::usage);
  }
}

TEST_CASE("a second tunnel resumes the session of the first") {
  TestServer server(serving(upgraded));
  const TunnelOptions options = tunnel_to(server.port());
  Dialer dialer(options, TlsContext::Buffers::keep);
  for (int i = 0; i < 3; ++i) CHECK(std::holds_alternative<Dialer::Open>(dial(dialer)));
  CHECK(server.handshakes() == 3);
  CHECK(server.resumed() == 2);
}

TEST_CASE("client certificates") {
  authority().issue("device", "-subj /CN=device-1");
  TestServerOptions with = serving(upgraded);
  with.client_ca = authority().path("ca.pem");
  with.client_certificate = TestServerOptions::ClientCertificate::demanded;
  TestServer server(with);
  TunnelOptions options = tunnel_to(server.port());
  SUBCASE("none: the server's refusal is understood") {
    const Error error = dial_error(options);
    CHECK(error.kind() == ErrorKind::refused);
    CHECK(error.message().find("wants a client certificate") != std::string::npos);
  }
  SUBCASE("one: shown on every connection, never resumed") {
    options.connection.certificate_origin = "https://app.example";
    options.connection.client_certificate = ClientCertificate::load(
        {.certificate = authority().path("device.pem"), .key = authority().path("device.key")},
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) + 2s);
    Dialer dialer(options, TlsContext::Buffers::keep);
    for (int i = 0; i < 2; ++i) {
      CHECK(std::holds_alternative<Dialer::Open>(dial(dialer)));
      CHECK(server.client_subject() == "CN=device-1");
    }
    CHECK(server.resumed() == 0);
  }
}

TEST_CASE("deadlines and refused connections") {
  const SilentPort silent;
  TunnelOptions options = tunnel_to(silent.port);
  SUBCASE("nobody listens") {
    CHECK(dial_error(options).message() == "cannot reach app.example: connection refused");
  }
  SUBCASE("nobody speaks TLS") {
    REQUIRE(listen(silent.socket.get(), 4) == 0);
    options.handshake_timeout = 50ms;
    const Error error = dial_error(options);
    CHECK(error.kind() == ErrorKind::network);
    CHECK(error.message() == "cannot reach app.example: timed out in the TLS handshake");
  }
  SUBCASE("the name is not known") {
    options.connection.connect_to = {"::no-such-name.invalid:443"};
    CHECK(dial_error(options).message() ==
          "cannot reach app.example: the name no-such-name.invalid is not known");
  }
}

TEST_CASE("a server that is no web server") {
  TestServerOptions plain;
  plain.answer = [](const std::string&) { return "SSH-2.0-OpenSSH_9.2\r\n"; };
  SUBCASE("no TLS") {
    const TestServer server(plain);
    const SilentPort silent;
    CHECK(dial_error(tunnel_to(silent.port)).kind() == ErrorKind::network);
  }
  SUBCASE("no HTTP") {
    TestServer server(serving(plain.answer));
    CHECK(dial_error(tunnel_to(server.port())).kind() == ErrorKind::protocol);
  }
  SUBCASE("nothing but an end") {
    TestServer server(serving([](const std::string&) { return ""; }));
    CHECK(dial_error(tunnel_to(server.port())).message() ==
          "cannot reach app.example: the connection was closed before an answer came");
  }
}

TEST_CASE("through a proxy") {
  TestServer server(serving(upgraded));
  TestProxy proxy(server.port());
  TunnelOptions options = tunnel_to(server.port());
  options.connection.connect_to.clear();
  options.connection.proxy = fmt::format("http://user:pass@127.0.0.1:{}", proxy.port());
  SUBCASE("that lets us pass") {
    Dialer dialer(options, TlsContext::Buffers::keep);
    CHECK(std::holds_alternative<Dialer::Open>(dial(dialer)));
    CHECK(proxy.request().starts_with("CONNECT app.example:443 HTTP/1.1\r\n"));
    // A proxy that does not ask for the password does not get it.
    CHECK(proxy.request().find("Proxy-Authorization") == std::string::npos);
    CHECK(server.handshakes() == 1);
  }
  SUBCASE("that asks for a login") {
    proxy.ask_for_login();
    Dialer dialer(options, TlsContext::Buffers::keep);
    CHECK(std::holds_alternative<Dialer::Open>(dial(dialer)));
    // printf user:pass | base64
    CHECK(proxy.request().find("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n") != std::string::npos);
    CHECK(server.handshakes() == 1);
  }
  SUBCASE("that says nothing") {
    const SilentPort silent(4);
    options.connection.proxy = fmt::format("http://127.0.0.1:{}", silent.port);
    options.connection.connect_timeout = 50ms;
    Dialer dialer(options, TlsContext::Buffers::keep);
    CHECK(dial_error(options).is_timeout());
  }
  SUBCASE("that does not") {
    proxy.refuse("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    const Error error = dial_error(options);
    CHECK(error.kind() == ErrorKind::network);
    CHECK(error.message().find("407") != std::string::npos);
  }
}
