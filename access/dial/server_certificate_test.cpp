// Which certificates of a server are trusted: by the tunnel's own TLS and by libcurl's requests
// alike.
#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <atomic>

#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/dial/dial.hpp"
#include "access/io/run_to_end.hpp"
#include "access/testing/proxy.hpp"
#include "access/testing/tunnel.hpp"

using namespace mayfly;
using namespace mayfly::testing;

namespace {

// Answers a request and an upgrade; counts both.
class CountingServer {
 public:
  explicit CountingServer(const std::string& name) : server_(options(name)) {}
  int port() const { return server_.port(); }
  int requests() const { return requests_; }

 private:
  TestServerOptions options(const std::string& name) {
    TestServerOptions options = serving([this](const std::string& request) {
      ++requests_;
      return request.find("Sec-WebSocket-Key") != std::string::npos ? upgraded(request) : ok("");
    });
    options.certificate = authority().path(name + ".pem");
    options.key = authority().path(name + ".key");
    return options;
  }

  std::atomic<int> requests_ = 0;
  TestServer server_;
};

// "" when the server was trusted.
std::string dial_error(const TunnelOptions& options) try {
  asio::io_context loop;
  Dialer dialer(options, TlsContext::Buffers::keep);
  run_to_end(loop, dialer.dial({{"Cf-Access-Token", "secret"}}));
  return "";
} catch (const Error& error) {
  CHECK(error.kind() == ErrorKind::network);
  return error.message();
}

std::string request_error(const TunnelOptions& options) try {
  HttpClient(options.connection)
      .send({.url = options.url, .headers = {{"Cf-Access-Token", "secret"}}, .body = ""});
  return "";
} catch (const Error& error) {
  CHECK(error.kind() == ErrorKind::network);
  return error.message();
}

constexpr std::string_view not_trusted = "which is not trusted here";
constexpr std::string_view wrong_name = "its certificate is for";

struct Flaw {
  std::string name;     // of the certificate's file
  std::string options;  // for TestAuthority::issue(); "" when it is made otherwise
  std::string_view why;
  std::string host = "app.example";
};

void check_refused(const Flaw& flaw) {
  CAPTURE(flaw.name);
  const CountingServer server(flaw.name);
  TunnelOptions options = tunnel_to(server.port());
  options.url.host = flaw.host;
  for (const auto& ask : {dial_error, request_error}) {
    const std::string error = ask(options);
    CAPTURE(error);
    CHECK(error.find(flaw.why) != std::string::npos);
  }
  const TestProxy proxy(server.port());
  options.connection.connect_to.clear();
  options.connection.proxy = fmt::format("http://127.0.0.1:{}", proxy.port());
  for (const auto& ask : {dial_error, request_error}) {
    const std::string error = ask(options);
    CAPTURE(error);
    CHECK(error.find(flaw.why) != std::string::npos);
  }
  CHECK(server.requests() == 0);
}

constexpr const char* for_app = "-subj /CN=app -addext subjectAltName=DNS:app.example ";

void make_leaf_of_intermediate() {
  authority().run(
      "openssl req -x509 -CA ca.pem -CAkey ca.key -newkey ec -nodes "
      "-pkeyopt ec_paramgen_curve:P-256 -keyout middle.key -out middle.pem -subj /CN=Middle "
      "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign && "
      "openssl req -x509 -CA middle.pem -CAkey middle.key -newkey ec -nodes "
      "-pkeyopt ec_paramgen_curve:P-256 -keyout leaf.key -out leaf.pem -subj /CN=leaf "
      "-addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:app.example && "
      "cat leaf.pem middle.pem > chain.pem && cp leaf.key chain.key");
}

}  // namespace

TEST_CASE("a server is asked for nothing when its certificate is not good") {
  const std::vector<Flaw> flaws = {
      {"other-name", "-subj /CN=other -addext subjectAltName=DNS:other.example", wrong_name},
      {"longer-name", "-subj /CN=x -addext subjectAltName=DNS:xapp.example,DNS:app.example.org",
       wrong_name},
      {"below", "-subj /CN=x -addext subjectAltName=DNS:*.app.example", wrong_name},
      {"partial", "-subj /CN=x -addext subjectAltName=DNS:a*.test.example", wrong_name,
       "app.test.example"},
      // RFC 9525 section 6.3: the common name is not looked at.
      {"common-name", "-subj /CN=app.example", wrong_name},
      {"name-of-address", "-subj /CN=127.0.0.1 -addext subjectAltName=DNS:127.0.0.1", wrong_name,
       "127.0.0.1"},
      {"address-of-name", "-subj /CN=app.example -addext subjectAltName=IP:127.0.0.1", wrong_name},
      {"for-clients", std::string(for_app) + "-addext extendedKeyUsage=clientAuth",
       "certificate purpose"},
      {"for-signing", std::string(for_app) + "-addext keyUsage=critical,keyCertSign",
       "certificate purpose"},
  };
  for (const Flaw& flaw : flaws) {
    authority().issue(flaw.name, flaw.options);
    check_refused(flaw);
  }
}

TEST_CASE("a server is asked for nothing when its certificate is not valid now") {
  authority().issue_dated_server("past", "DNS:app.example", {"20200101000000Z", "20200102000000Z"});
  check_refused({"past", "", "its certificate \"CN=past\" expired on 2020-01-02 00:00 UTC"});
  authority().issue_dated_server("future", "DNS:app.example",
                                 {"21200101000000Z", "21200102000000Z"});
  check_refused({"future", "", "its certificate \"CN=future\" is not valid before 2120-01-01"});
}

TEST_CASE("a server is asked for nothing when nobody trusted has signed its certificate") {
  authority().run(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout self.key "
      "-out self.pem -subj /CN=app.example -addext subjectAltName=DNS:app.example");
  check_refused({"self", "", not_trusted});

  const TestAuthority other("Test Root");  // of the same name
  other.issue_server("app", "DNS:app.example");
  authority().write("foreign.pem", other.read("app.pem"));
  authority().write("foreign.key", other.read("app.key"));
  check_refused({"foreign", "", not_trusted});

  make_leaf_of_intermediate();
  check_refused({"leaf", "", not_trusted});
}

TEST_CASE("a server with a good certificate is asked") {
  authority().issue_server("address", "IP:127.0.0.1");
  authority().issue_server("wildcard", "DNS:*.test.example");
  make_leaf_of_intermediate();
  for (const auto& [name, host] : {std::pair<std::string, std::string>("app", "app.example"),
                                   {"address", "127.0.0.1"},
                                   {"wildcard", "app.test.example"},
                                   {"chain", "app.example"}}) {
    CAPTURE(name);
    const CountingServer server(name);
    TunnelOptions options = tunnel_to(server.port());
    options.url.host = host;
    CHECK(dial_error(options) == "");
    CHECK(request_error(options) == "");
    CHECK(server.requests() == 2);
  }
}
