#include "access/tls/client_certificate.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/testing/authority.hpp"
#include "access/testing/server.hpp"

using namespace mayfly;
using namespace mayfly::testing;

namespace {

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

// Returns an authority with: client.pem and client.key; other.pem and other.key; a chain root -
// middle - leaf; and keys in every format, with the password "open sesame".
const TestAuthority& authority() {
  static const TestAuthority made;
  static const bool issued = [] {
    made.issue_server("app", "DNS:app.example");
    made.issue("client", "-subj '/O=Robots/CN=sensor-7'");
    made.issue("other", "-subj /CN=other");
    made.run(
        "openssl req -x509 -CA ca.pem -CAkey ca.key -newkey rsa:2048 -nodes -keyout middle.key "
        "-out middle.pem -subj '/CN=Middle' -addext keyUsage=keyCertSign && "
        "openssl req -x509 -CA middle.pem -CAkey middle.key -newkey ed25519 -nodes "
        "-keyout leaf.key -out leaf.pem -subj /CN=leaf -addext basicConstraints=CA:FALSE && "
        "cat leaf.pem middle.pem leaf.key >chain.pem && "
        "cat middle.pem leaf.key leaf.pem >middle-first.pem");
    made.run(
        "openssl ec -in client.key -out sec1.key && "
        "openssl ec -in client.key -aes256 -passout 'pass:open sesame' -out sec1-encrypted.key && "
        "openssl pkcs8 -topk8 -in client.key -v2 aes256 -passout 'pass:open sesame' "
        "-out pkcs8-encrypted.key && "
        "openssl pkcs12 -export -inkey leaf.key -in leaf.pem -certfile middle.pem "
        "-passout 'pass:open sesame' -out modern.p12 && "
        "openssl pkcs12 -export -legacy -inkey leaf.key -in leaf.pem -certfile middle.pem "
        "-passout 'pass:open sesame' -out legacy.p12 && "
        "openssl pkcs12 -export -inkey client.key -in client.pem -passout pass: -out open.p12");
    return true;
  }();
  static_cast<void>(issued);
  return made;
}

ClientCertificateFiles files(const std::string& certificate, const std::string& key = "",
                             const std::string& password = "") {
  ClientCertificateFiles named;
  named.certificate = authority().path(certificate);
  if (!key.empty()) named.key = authority().path(key);
  named.password = [password](const std::string&) { return Secret(password); };
  return named;
}

// A server that asks for certificates of our authority and closes after each answer.
TestServerOptions asking() {
  TestServerOptions options;
  options.certificate = authority().path("app.pem");
  options.key = authority().path("app.key");
  options.client_ca = authority().path("ca.pem");
  options.answer = [](const std::string&) { return ok("", "Connection: close\r\n"); };
  return options;
}

HttpClient client_of(const TestServer& server, const ClientCertificateFiles& named) {
  ConnectionOptions options;
  options.ca_file = authority().path("ca.pem");
  options.connect_to = {fmt::format("::127.0.0.1:{}", server.port())};
  options.client_certificate = ClientCertificate::load(named, now());
  options.certificate_origin = "https://app.example";
  return HttpClient(options);
}

const Request request{.url = parse_url("app.example"), .headers = {}, .body = ""};

Error failure(const ClientCertificateFiles& named, std::chrono::sys_seconds at = now()) {
  try {
    ClientCertificate::load(named, at);
  } catch (const Error& error) {
    return error;
  }
  FAIL_CHECK("nothing was thrown");
  return {ErrorKind::failed, ""};
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the facts of a client certificate are those of its leaf") {
  const auto named = files("client.pem", "client.key");  // issues it, if this test runs first
  const auto certificate = ClientCertificate::load(named, now());
  CHECK(certificate->facts().subject == "CN=sensor-7,O=Robots");
  CHECK(certificate->facts().issuer == "CN=Test Root");
  CHECK(certificate->facts().common_name == "sensor-7");
  CHECK(certificate->facts().not_before <= now());
  CHECK(certificate->facts().not_after - certificate->facts().not_before == std::chrono::days(30));
}

TEST_CASE("certificates and keys in every format reach the server, with their chain") {
  struct Case {
    ClientCertificateFiles named;
    std::string subject;
    int chain;
  };
  const std::string robot = "CN=sensor-7,O=Robots";
  const std::string password = "open sesame";
  const Case cases[] = {
      {files("client.pem", "client.key"), robot, 1},
      {files("client.pem", "sec1.key"), robot, 1},
      {files("client.pem", "sec1-encrypted.key", password), robot, 1},
      {files("client.pem", "pkcs8-encrypted.key", password), robot, 1},
      {files("chain.pem"), "CN=leaf", 2},
      {files("middle-first.pem"), "CN=leaf", 2},
      {files("chain.pem", "leaf.key"), "CN=leaf", 2},
      {files("modern.p12", "", password), "CN=leaf", 2},
      {files("legacy.p12", "", password), "CN=leaf", 2},
      {files("open.p12"), robot, 1},
      {files("leaf.pem", "modern.p12", password), "CN=leaf", 1},
  };
  // This server accepts every client, so that an incomplete chain arrives, too.
  TestServerOptions lenient = asking();
  lenient.accept_any_client = true;
  TestServer server(lenient);
  for (const Case& one : cases) {
    CAPTURE(one.named.certificate);
    CAPTURE(one.named.key);
    CHECK(client_of(server, one.named).send(request).status == 200);
    CHECK(server.client_subject() == one.subject);
    CHECK(server.client_chain_length() == one.chain);
  }
}

TEST_CASE("a server that knows the root accepts a leaf by its intermediate") {
  TestServerOptions demanding = asking();
  demanding.client_certificate = TestServerOptions::ClientCertificate::demanded;
  TestServer server(demanding);
  CHECK(client_of(server, files("chain.pem")).send(request).status == 200);
  CHECK_THROWS_AS(client_of(server, files("leaf.pem", "leaf.key")).send(request), Error);
}

TEST_CASE("every connection is a full handshake with the certificate") {
  TestServer server(asking());
  HttpClient client = client_of(server, files("client.pem", "client.key"));
  for (int i = 0; i < 3; ++i) CHECK(client.send(request).certificate_request.asked);
  CHECK(server.handshakes() == 3);
  CHECK(server.resumed() == 0);
}

TEST_CASE("unusable files are reported before any connection") {
  authority().write("garbage", "not a certificate");
  authority().write("empty", "");
  authority().write("broken.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
  authority().write("broken.key", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n");
  authority().write("large", std::string((1 << 20) + 1, 'x'));
  authority().run(
      "cp client.key group.key && chmod 640 group.key && cp chain.pem world.pem && "
      "chmod 604 world.pem && cp modern.p12 world.p12 && chmod 644 world.p12 && "
      "openssl req -x509 -newkey rsa:1024 -nodes -keyout weak.key -out weak.pem "
      "-subj /CN=weak && openssl x509 -in client.pem -outform der -out client.der");
  struct Case {
    ClientCertificateFiles named;
    std::string message;
    std::string hint;
  };
  const std::string password = "open sesame";
  const Case cases[] = {
      {files("missing.pem"), "missing.pem: No such file or directory", "--cert"},
      {files("client.pem", "missing.key"), "missing.key: No such file or directory", "--key"},
      {files(""), "it is no regular file", ""},
      {files("empty"), "it is empty", ""},
      {files("large"), "it is larger than 1 MiB", ""},
      {files("garbage"), "it is neither PEM nor PKCS#12", "openssl"},
      {files("client.der", "client.key"), "it is neither PEM nor PKCS#12", "openssl x509"},
      {files("client.pem", "garbage"), "it is neither PEM nor PKCS#12", "openssl"},
      {files("broken.pem", "client.key"), "a certificate in it cannot be read", ""},
      {files("client.pem", "broken.key"), "its private key cannot be read", "PEM key"},
      {files("client.key"), "there is no certificate in it", "--cert"},
      {files("client.pem"), "there is no private key in it", "--key"},
      {files("client.pem", "client.pem"), "there is no private key in it", "--key"},
      {files("client.pem", "group.key"), "others can get at (mode 0640)", "chmod 600 "},
      {files("world.pem"), "others can get at (mode 0604)", "chmod 600 "},
      {files("world.p12", "", password), "others can get at (mode 0644)", "chmod 600 "},
      {files("client.pem", "other.key"), "other.key does not belong to the certificate in",
       "--key"},
      {files("client.pem", "sec1-encrypted.key"), "encrypted and there is no password",
       "--cert-password-file"},
      {files("client.pem", "pkcs8-encrypted.key"), "encrypted and there is no password",
       "--cert-password-file"},
      {files("modern.p12"), "encrypted and there is no password", "--cert-password-file"},
      {files("client.pem", "sec1-encrypted.key", "x"), "the password is wrong",
       "--cert-password-file"},
      {files("client.pem", "pkcs8-encrypted.key", "x"), "the password is wrong",
       "--cert-password-file"},
      {files("modern.p12", "", "x"), "the password is wrong", "--cert-password-file"},
      {files("legacy.p12", "", "x"), "the password is wrong", "--cert-password-file"},
      {files("weak.pem", "weak.key"), "key too small", "too weak"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.named.certificate);
    CAPTURE(one.named.key);
    const Error error = failure(one.named);
    CHECK(error.kind() == ErrorKind::usage);
    CAPTURE(error.message());
    CAPTURE(error.hint());
    CHECK(holds(error.message(), one.message));
    CHECK(holds(error.hint(), one.hint));
    CHECK(!holds(error.message(), password));
  }
}

TEST_CASE("a certificate that is not valid now is refused with its dates") {
  const auto named = files("client.pem", "client.key");
  const auto certificate = ClientCertificate::load(named, now());
  const auto second = std::chrono::seconds(1);
  CHECK_NOTHROW(ClientCertificate::load(named, certificate->facts().not_before));
  CHECK_NOTHROW(ClientCertificate::load(named, certificate->facts().not_after));
  const Error early = failure(named, certificate->facts().not_before - second);
  CHECK(early.kind() == ErrorKind::usage);
  CHECK(holds(early.message(), "is not valid before 2"));
  CHECK(holds(early.hint(), "clock says 2"));
  const Error late = failure(named, certificate->facts().not_after + second);
  CHECK(late.kind() == ErrorKind::usage);
  CHECK(holds(late.message(), "expired on 2"));
  CHECK(holds(late.hint(), "issued by \"CN=Test Root\""));
}

TEST_CASE("a renewal on disk is used by the next connection, a half-written one is not") {
  authority().run(
      "cp client.pem live.pem && cp sec1-encrypted.key live.key && "
      "openssl pkcs8 -topk8 -in other.key -v2 aes256 -passout 'pass:open sesame' "
      "-out other-encrypted.key");
  int asked = 0;
  ClientCertificateFiles named = files("live.pem", "live.key");
  named.password = [&](const std::string& what) {
    ++asked;
    CHECK(what == "password of " + authority().path("live.key"));
    return Secret(std::string("open sesame"));
  };
  TestServer server(asking());
  HttpClient client = client_of(server, named);
  const auto presented = [&] {
    client.send(request);
    return server.client_subject();
  };
  CHECK(presented() == "CN=sensor-7,O=Robots");
  authority().run("cp other.pem new && mv new live.pem");
  CHECK(presented() == "CN=sensor-7,O=Robots");
  authority().run("cp other-encrypted.key new && mv new live.key");
  CHECK(presented() == "CN=other");
  authority().run("rm live.pem");
  CHECK(presented() == "CN=other");
  authority().run("head -c 100 client.pem >live.pem");
  CHECK(presented() == "CN=other");
  CHECK(asked == 1);
}
