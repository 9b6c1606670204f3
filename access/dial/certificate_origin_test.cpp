// The client certificate is shown to the application's own origin and to no other server.
#include <doctest/doctest.h>

#include <asio/io_context.hpp>

#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/dial/dial.hpp"
#include "access/io/run_to_end.hpp"
#include "access/testing/tunnel.hpp"
#include "access/tls/client_certificate.hpp"

using namespace mayfly;
using namespace mayfly::testing;

namespace {

// A server that asks every client for a certificate, and takes any.
TestServerOptions curious(const std::string& name, const std::string& alternatives) {
  authority().issue_server(name, alternatives);
  TestServerOptions options = serving([](const std::string& request) {
    if (request.starts_with("CONNECT")) return std::string("HTTP/1.1 403 Forbidden\r\n\r\n");
    if (request.find("Sec-WebSocket-Key") != std::string::npos) return upgraded(request);
    return ok("", "Connection: close\r\n");
  });
  options.certificate = authority().path(name + ".pem");
  options.key = authority().path(name + ".key");
  options.client_ca = authority().path("ca.pem");
  options.accept_any_client = true;
  return options;
}

TunnelOptions with_certificate(const std::string& application, int port) {
  authority().issue("device", "-subj /CN=device-1");
  TunnelOptions options = tunnel_to(port);
  options.url = parse_url(application);
  options.connection.client_certificate = ClientCertificate::load(
      {.certificate = authority().path("device.pem"), .key = authority().path("device.key")},
      std::chrono::ceil<std::chrono::seconds>(std::chrono::system_clock::now()));
  options.connection.certificate_origin = options.url.origin();
  return options;
}

void request(const TunnelOptions& options) {
  try {
    HttpClient(options.connection).send({.url = options.url, .headers = {}, .body = ""});
  } catch (const Error&) {
  }
}

void dial(const TunnelOptions& options) {
  asio::io_context loop;
  Dialer dialer(options, TlsContext::Buffers::keep);
  try {
    run_to_end(loop, dialer.dial({}));
  } catch (const Error&) {
  }
}

}  // namespace

TEST_CASE("the client certificate is shown to the application's name at its port alone") {
  TestServer server(curious("many",
                            "DNS:app.example,DNS:xapp.example,DNS:app.example.org,DNS:example,"
                            "DNS:team.example,IP:127.0.0.1"));
  TunnelOptions options = with_certificate("app.example", server.port());
  int handshakes = 0;
  for (const auto& [host, subject] :
       {std::pair<std::string, std::string>("app.example", "CN=device-1"),
        {"APP.example", "CN=device-1"},
        {"app.example/path", "CN=device-1"},
        {"app.example:8443", ""},
        {"xapp.example", ""},
        {"app.example.org", ""},
        {"team.example", ""},
        {"127.0.0.1", ""}}) {
    CAPTURE(host);
    options.url = parse_url(host);
    for (const auto& act : {request, dial}) {
      act(options);
      CHECK(server.handshakes() == ++handshakes);
      CHECK(server.client_subject() == subject);
    }
  }
  options.connection.certificate_origin.clear();
  options.url = parse_url("app.example");
  for (const auto& act : {request, dial}) {
    act(options);
    CHECK(server.client_subject() == "");
  }
}

TEST_CASE(
    "one client shows the certificate to the application, and no other server sees it after") {
  TestServer server(curious("two", "DNS:app.example,DNS:team.example"));
  const TunnelOptions options = with_certificate("app.example", server.port());
  HttpClient client(options.connection);
  for (const char* host : {"app.example", "team.example", "app.example", "team.example"}) {
    CAPTURE(host);
    client.send({.url = parse_url(host), .headers = {}, .body = ""});
    CHECK(server.client_subject() ==
          (std::string_view(host) == "app.example" ? "CN=device-1" : ""));
  }
  CHECK(server.resumed() <= 1);  // the team's second connection
}

TEST_CASE("an https proxy is not shown the client certificate, even under the application's name") {
  TestServer proxy(curious("proxy", "DNS:app.example,IP:127.0.0.1"));
  for (const char* host : {"app.example", "127.0.0.1"}) {
    CAPTURE(host);
    TunnelOptions options = with_certificate(host, proxy.port());
    options.connection.connect_to.clear();
    options.connection.proxy = fmt::format("https://{}:{}", host, proxy.port());
    options.connection.resolve = {fmt::format("{}:{}:127.0.0.1", host, proxy.port())};
    for (const auto& act : {request, dial}) {
      const int before = proxy.handshakes();
      act(options);
      CHECK(proxy.handshakes() == before + 1);
      CHECK(proxy.client_subject() == "");
    }
  }
}
