#include "access/tls/pkcs11_key_pair.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <stdlib.h>

#include <filesystem>

#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/testing/authority.hpp"
#include "access/testing/server.hpp"
#include "access/tls/client_certificate.hpp"

using namespace mayfly;
using namespace mayfly::testing;

namespace {

std::string softhsm_module() {
  for (const char* path : {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so",
                           "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                           "/usr/local/lib/softhsm/libsofthsm2.so"}) {
    if (std::filesystem::exists(path)) return path;
  }
  return {};
}

bool have(const char* command) {
  return std::system(fmt::format("command -v {} >/dev/null 2>&1", command).c_str()) == 0;
}

// Makes the SoftHSM token "robots" with PIN 4711. It holds the certificate "sensor" and its RSA
// key, which was made on the token and cannot be exported.
void make_token(const TestAuthority& authority, const std::string& module) {
  std::filesystem::create_directory(authority.path("tokens"));
  authority.write("softhsm.conf", "directories.tokendir = " + authority.path("tokens") + "\n");
  setenv("SOFTHSM2_CONF", authority.path("softhsm.conf").c_str(), 1);
  const std::string tool = "pkcs11-tool --module " + module + " --login --pin 4711 ";
  authority.run("softhsm2-util --init-token --free --label robots --pin 4711 --so-pin 4711");
  authority.run(tool + "--keypairgen --key-type rsa:2048 --id 01 --label sensor && " + tool +
                "--read-object --type pubkey --id 01 -o public.der && "
                "openssl pkey -pubin -inform der -in public.der -out public.pem && "
                "openssl req -new -newkey ed25519 -nodes -keyout any.key -subj /CN=sensor-7 "
                "-out any.csr && openssl x509 -req -in any.csr -CA ca.pem -CAkey ca.key "
                "-force_pubkey public.pem -days 30 -out token.pem && "
                "openssl x509 -in token.pem -outform der -out token.der");
  authority.run(tool + "--write-object token.der --type cert --id 01 --label sensor");
}

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace

TEST_CASE("a key on a PKCS#11 token authenticates a connection without leaving the token") {
  const std::string module = softhsm_module();
  if (module.empty() || !have("softhsm2-util") || !have("pkcs11-tool")) {
    MESSAGE(
        "skipped: needs the packages softhsm2, opensc and libengine-pkcs11-openssl or "
        "pkcs11-provider");
    return;
  }
  const TestAuthority authority;
  make_token(authority, module);
  authority.issue_server("app", "DNS:app.example");
  TestServerOptions demanding;
  demanding.certificate = authority.path("app.pem");
  demanding.key = authority.path("app.key");
  demanding.client_ca = authority.path("ca.pem");
  demanding.client_certificate = TestServerOptions::ClientCertificate::demanded;
  demanding.answer = [](const std::string&) { return ok("", "Connection: close\r\n"); };

  const std::string uri = "pkcs11:token=robots;object=sensor";
  const std::string with_module = uri + "?module-path=" + module;
  int asked = 0;
  ClientCertificateFiles typed;
  typed.certificate = with_module;
  typed.password = [&](const std::string& what) {
    ++asked;
    CHECK(what == "PIN of " + uri);
    return Secret(std::string("4711"));
  };
  ClientCertificateFiles without_pin = typed;
  without_pin.password = [](const std::string&) { return Secret(); };
  ClientCertificateFiles in_uri = without_pin;
  in_uri.certificate = authority.path("token.pem");
  in_uri.key = with_module + "&pin-value=4711";
  try {
    ClientCertificate::load(without_pin, now());
    FAIL("a PIN is needed");
  } catch (const Error& error) {
    if (error.hint().find("install") != std::string::npos) {
      MESSAGE("skipped: ", error.message(), "; ", error.hint());
      return;
    }
    CHECK(error.kind() == ErrorKind::usage);
    CHECK(error.message() == "cannot use " + uri + ": the token wants a PIN and there is none");
  }
  ClientCertificateFiles wrong = typed;
  int guesses = 0;
  wrong.password = [&](const std::string&) {
    ++guesses;
    return Secret(std::string("0000"));
  };
  try {
    ClientCertificate::load(wrong, now());
    FAIL("the PIN is wrong");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK(error.message() ==
          "cannot use " + uri + ": the private key cannot be loaded from the token: PIN incorrect");
  }
  CHECK(guesses == 1);

  for (const ClientCertificateFiles& named : {typed, in_uri}) {
    TestServer server(demanding);
    ConnectionOptions options;
    options.ca_file = authority.path("ca.pem");
    options.connect_to = {fmt::format("::127.0.0.1:{}", server.port())};
    options.client_certificate = ClientCertificate::load(named, now());
    options.certificate_origin = "https://app.example";
    CHECK(options.client_certificate->facts().common_name == "sensor-7");
    HttpClient client(options);
    for (int i = 0; i < 2; ++i) {
      CHECK(client.send({.url = parse_url("app.example"), .headers = {}, .body = ""}).status ==
            200);
    }
    CHECK(server.client_subject() == "CN=sensor-7");
  }
  CHECK(asked == 1);

  ClientCertificateFiles absent = typed;
  absent.certificate = "pkcs11:token=robots;object=nothing?module-path=" + module;
  absent.password = [](const std::string&) { return Secret(std::string("4711")); };
  CHECK_THROWS_AS(ClientCertificate::load(absent, now()), Error);
}
