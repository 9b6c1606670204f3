// The signer's answer: the status in the first line, our public key in the second, then the body.
#include <charconv>

#include "access/jwt/jwt.hpp"
#include "fuzz.hpp"
#include "property.hpp"
#include "sshgen/keypair.hpp"
#include "sshgen/sign.hpp"

namespace mayfly::fuzz {
namespace {

using namespace sshgen;

StoredToken token() {
  StoredToken stored;
  stored.jwt = Secret(std::string_view("header.payload.signature"));
  stored.claims.issuer = "https://team.cloudflareaccess.com";
  return stored;
}

const Harness harness("sign", [](std::string_view input) {
  static const Application application{"team.cloudflareaccess.com", "audience", "vm.example.com"};
  static const StoredToken stored = token();
  Input lines(input);
  Response response;
  const auto status = lines.line();
  std::from_chars(status.data(), status.data() + status.size(), response.status);
  const std::string public_line(lines.line());
  response.body = lines.rest();

  const Send send = [&](const Request& request) {
    require(request.url.text() == "https://team.cloudflareaccess.com/cdn-cgi/access/cert_sign",
            "the token is posted to its issuer");
    return response;
  };
  const auto made = result_of({ErrorKind::refused, ErrorKind::network, ErrorKind::protocol}, [&] {
    return request_certificate(send, {application, stored}, public_line, now);
  });
  if (!made) return;
  require(response.status == 200, "only success brings a certificate");
  require(made->certificate.certified_key == public_blob_of_line(public_line), "it is for our key");
  require(signature_verifies(made->certificate) && made->certificate.remaining_at(now).count() > 0,
          "it is signed and valid");
  require(made->line.find('\n') == made->line.size() - 1, "it is one line");
  require(parse_certificate(made->line).has_value(), "what goes to disk is the certificate");
});

}  // namespace
}  // namespace mayfly::fuzz
