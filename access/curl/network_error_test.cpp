#include "access/curl/network_error.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/socket.h>

#include "access/curl/http.hpp"
#include "access/system/descriptor.hpp"
#include "access/testing/authority.hpp"
#include "access/testing/server.hpp"
#include "access/tls/client_certificate.hpp"

using namespace mayfly;
using namespace mayfly::testing;

namespace {

const TestAuthority& authority() {
  static const TestAuthority made;
  static const bool issued = [] {
    made.issue_server("app", "DNS:app.example,IP:127.0.0.1");
    made.issue_expired_server("old", "DNS:app.example");
    made.issue("client", "-subj '/O=Robots/CN=sensor-7'");
    return true;
  }();
  static_cast<void>(issued);
  return made;
}

TestServerOptions serving(const std::string& name) {
  TestServerOptions options;
  options.certificate = authority().path(name + ".pem");
  options.key = authority().path(name + ".key");
  options.answer = [](const std::string&) { return ok(""); };
  return options;
}

ConnectionOptions to_port(int port) {
  ConnectionOptions options;
  options.ca_file = authority().path("ca.pem");
  options.connect_to = {fmt::format("::127.0.0.1:{}", port)};
  return options;
}

Response ask(const ConnectionOptions& options, const std::string& host = "app.example") {
  return HttpClient(options).send({.url = parse_url(host), .headers = {}, .body = ""});
}

Error failure(const ConnectionOptions& options, const std::string& host = "app.example") {
  try {
    ask(options, host);
  } catch (const Error& error) {
    return error;
  }
  FAIL_CHECK("nothing was thrown");
  return {ErrorKind::usage, ""};
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::shared_ptr<const ClientCertificate> client_certificate(const TestAuthority& from) {
  ClientCertificateFiles files;
  files.certificate = from.path("client.pem");
  files.key = from.path("client.key");
  return ClientCertificate::load(
      files, std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
}

}  // namespace

TEST_CASE("an unknown issuer is named") {
  TestServer server(serving("app"));
  const TestAuthority other("Other Root");
  ConnectionOptions options = to_port(server.port());
  options.ca_file = other.path("ca.pem");
  Error error = failure(options);
  CHECK(error.kind() == ErrorKind::network);
  CHECK(error.message() ==
        "cannot trust app.example: its certificate was issued by \"CN=Test Root\", which is not "
        "trusted here");
  CHECK(holds(error.hint(), "--cacert"));
  options.ca_file.clear();  // the system's trust does not know it either
  CHECK(holds(failure(options).message(), "\"CN=Test Root\""));
  options.verify = ConnectionOptions::Verify::no;
  CHECK(ask(options).status == 200);
}

TEST_CASE("a trusted certificate for another name says whose it is") {
  TestServer server(serving("app"));
  const Error error = failure(to_port(server.port()), "vm.example");
  CHECK(error.kind() == ErrorKind::network);
  CHECK(error.message() ==
        "cannot trust vm.example: its certificate is for app.example, 127.0.0.1, issued by "
        "\"CN=Test Root\"");
}

TEST_CASE("an expired certificate gives its end and our clock") {
  TestServer server(serving("old"));
  const Error error = failure(to_port(server.port()));
  CHECK(error.kind() == ErrorKind::network);
  CHECK(holds(error.message(), "its certificate \"CN=old\" expired on 2"));
  CHECK(holds(error.hint(), "clock says 2"));
  CHECK(holds(error.hint(), "run: mayfly doctor app.example"));
}

TEST_CASE("a port without a listener refuses the connection") {
  const Descriptor unused(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(unused.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(getsockname(unused.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const Error error = failure(to_port(ntohs(address.sin_port)));
  CHECK(error.kind() == ErrorKind::network);
  CHECK(error.message() == "cannot reach app.example: connection refused");
}

TEST_CASE("a server that speaks no TLS, or says nothing, is explained") {
  TestServerOptions plain;
  plain.answer = [](const std::string&) { return std::string(); };
  TestServer server(plain);
  ConnectionOptions options = to_port(server.port());
  options.connect_timeout = std::chrono::seconds(1);
  const Error error = failure(options);
  CHECK(error.kind() == ErrorKind::network);
  CHECK(error.message() == "cannot reach app.example: timed out in the TLS handshake");
}

TEST_CASE("a proxy's refusal is explained") {
  std::string status = "407 Proxy Authentication Required";
  TestServerOptions plain;
  plain.answer = [&](const std::string&) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n";
  };
  TestServer proxy(plain);
  ConnectionOptions options;
  options.proxy = fmt::format("http://127.0.0.1:{}", proxy.port());
  Error error = failure(options);
  CHECK(error.kind() == ErrorKind::network);
  CHECK(error.message() ==
        fmt::format("the proxy {} wants a user name and password (407)", options.proxy));
  status = "403 Forbidden";
  error = failure(options);
  CHECK(error.message() ==
        fmt::format("the proxy {} refused to connect: status 403", options.proxy));
}

TEST_CASE("a proxy that cannot be reached is named, with its source") {
  ConnectionOptions options;
  options.proxy = fmt::format("http://jdoe:s3cret@127.0.0.1:{}", 1);
  const Error error = failure(options);
  CHECK(error.kind() == ErrorKind::network);
  CHECK(error.message() ==
        "cannot reach app.example: the proxy http://127.0.0.1:1 (named by --proxy): connection "
        "refused");
}

TEST_CASE("the password in a proxy's URL is in no message about it") {
  ConnectionOptions options;
  for (const char* proxy : {"htp://user:pr0xy@127.0.0.1:1", "http://us er:pr0xy@127.0.0.1:1",
                            "http://user:pr0xy@127.0.0.1:99999", "http://user:pr0xy@[bad:1"}) {
    CAPTURE(proxy);
    options.proxy = proxy;
    const Error error = failure(options);
    CHECK(error.kind() == ErrorKind::network);
    CAPTURE(error.message());
    CHECK(holds(error.message(), "the URL of the proxy"));
    CHECK_FALSE(holds(error.message(), "pr0xy"));
    CHECK(holds(error.hint(), "HTTPS_PROXY"));
  }
}

TEST_CASE("an absent CA file is an error of usage") {
  ConnectionOptions options;
  options.ca_file = "/nonexistent/ca.pem";
  CHECK(failure(options).kind() == ErrorKind::usage);
  options.ca_file = authority().path("app.key");
  options.connect_to = {"::127.0.0.1:1"};
  const TestServer server(serving("app"));
  options.connect_to = {fmt::format("::127.0.0.1:{}", server.port())};
  CHECK(failure(options).kind() == ErrorKind::usage);
}

TEST_CASE(
    "a demanded client certificate that is missing or foreign is refused, with what was asked "
    "for") {
  for (const char* version : {"1.2", "1.3"}) {
    CAPTURE(version);
    TestServerOptions demanding = serving("app");
    demanding.client_ca = authority().path("ca.pem");
    demanding.client_certificate = TestServerOptions::ClientCertificate::demanded;
    demanding.highest_tls = version;
    TestServer server(demanding);
    ConnectionOptions options = to_port(server.port());

    Error error = failure(options);
    CHECK(error.kind() == ErrorKind::refused);
    CHECK(holds(error.message(), "app.example wants a client certificate: TLS alert"));
    CHECK(holds(error.hint(), "issued by \"CN=Test Root\"; none was sent"));

    options.client_certificate = client_certificate(authority());
    options.certificate_origin = "https://app.example";
    CHECK(ask(options).certificate_request.sent.starts_with("\"CN=sensor-7,O=Robots\", issued by"));
    CHECK(server.client_subject() == "CN=sensor-7,O=Robots");

    const TestAuthority other("Other Root");
    other.issue("client", "-subj /CN=stranger");
    options.client_certificate = client_certificate(other);
    error = failure(options);
    CHECK(error.kind() == ErrorKind::refused);
    CHECK(holds(error.message(), "refused the client certificate: TLS alert 48 (unknown CA)"));
    CHECK(holds(error.hint(), "\"CN=stranger\", issued by \"CN=Other Root\", valid from"));
    CHECK(holds(error.hint(), "the edge asked for one issued by \"CN=Test Root\""));
  }
}

TEST_CASE("the certificate request stays known on a kept connection") {
  TestServerOptions wanting = serving("app");
  wanting.client_ca = authority().path("ca.pem");
  TestServer server(wanting);
  HttpClient client(to_port(server.port()));
  const Request request{.url = parse_url("app.example"), .headers = {}, .body = ""};
  for (int i = 0; i < 2; ++i) {
    const CertificateRequest seen = client.send(request).certificate_request;
    CHECK(seen.text() ==
          "the edge asked for a client certificate issued by \"CN=Test Root\"; none was sent");
  }
  CHECK(server.handshakes() == 1);
}

TEST_CASE("an error that libcurl reports by code alone has its own message, kind and hint") {
  struct Case {
    CURLcode code;
    ErrorKind kind;
    std::string message;
    std::string hint;
  };
  const Case cases[] = {
      {CURLE_COULDNT_RESOLVE_HOST, ErrorKind::network,
       "cannot reach vm.example:8443: the name vm.example is not known", "spelling"},
      {CURLE_COULDNT_RESOLVE_PROXY, ErrorKind::network,
       "cannot reach vm.example:8443: the name of the proxy is not known", "--proxy"},
      {CURLE_OPERATION_TIMEDOUT, ErrorKind::network,
       "cannot reach vm.example:8443: timed out looking up the name", "DNS"},
      {CURLE_GOT_NOTHING, ErrorKind::network,
       "cannot reach vm.example:8443: the connection was closed before an answer came", "again"},
      {CURLE_WEIRD_SERVER_REPLY, ErrorKind::protocol,
       "cannot understand vm.example:8443: Weird server reply", ""},
      {CURLE_SSL_CACERT_BADFILE, ErrorKind::usage, "cannot use the trusted certificates: Problem",
       "--cacert"},
      {CURLE_OUT_OF_MEMORY, ErrorKind::network, "cannot reach vm.example:8443: Out of memory", ""},
  };
  const Url url = parse_url("vm.example:8443");
  const CurlHandle handle({}, url);
  for (const Case& one : cases) {
    CAPTURE(one.code);
    const Error error = network_error(handle, one.code, url);
    CHECK(error.kind() == one.kind);
    CAPTURE(error.message());
    CHECK(error.message().starts_with(one.message));
    CHECK(holds(error.hint(), one.hint));
  }
}
