#include "sshgen/sign.hpp"

#include <doctest/doctest.h>

#include "sshgen/keypair.hpp"
#include "sshgen/testing/signer.hpp"

namespace mayfly::sshgen {
namespace {

std::chrono::sys_seconds present() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

// One request of a key of ours; what came of it.
struct Attempt {
  Application application = application_of_team();
  StoredToken token = token_of_team();
  KeyPair pair = generate_key_pair(KeyType::ecdsa);
  Signer signer = {};

  Signed made() {
    return request_certificate(signer.send(), {application, token}, pair.public_line(), present());
  }
  // The error it ends with; the test fails when there is none.
  Error error() {
    try {
      made();
    } catch (const Error& error) {
      return error;
    }
    FAIL("no error");
    return Error(ErrorKind::failed, "");
  }
  bool token_rejected() {
    try {
      made();
    } catch (const TokenRejected&) {
      return true;
    } catch (const Error&) {
    }
    return false;
  }
};

bool contains(std::string_view text, std::string_view part) {
  INFO(text);
  return text.find(part) != std::string_view::npos;
}

TEST_CASE("sign: the request to the signer") {
  Attempt attempt;
  attempt.made();
  REQUIRE(attempt.signer.requests.size() == 1);
  const auto& request = attempt.signer.requests[0];
  CHECK(request.method == Request::Method::post);
  CHECK(request.url.text() == std::string("https://") + team + "/cdn-cgi/access/cert_sign");
  CHECK(request.headers == Headers{{"Content-Type", "application/json"}});
  CHECK(request.timeout == std::chrono::seconds(10));
  const auto [public_key, jwt, issuer] = read_sign_request(request);
  CHECK(public_key == attempt.pair.public_line());
  CHECK(jwt == "head.payload.signature");
  CHECK(issuer == std::string("https://") + team);
}

TEST_CASE("sign: the certificate comes back as a line for its file") {
  Attempt attempt;
  const auto line = attempt.signer.authority.sign(attempt.pair.public_line());
  REQUIRE(line.back() == '\n');
  for (const auto& sent : {line, line.substr(0, line.size() - 1), line + "\r\n"}) {
    attempt.signer.script = {signed_answer(sent)};
    const auto made = attempt.made();
    CHECK(made.line == line);
    CHECK(made.certificate.principals == std::vector<std::string>{"jdoe"});
  }
}

TEST_CASE("sign: a token of another issuer is sent nowhere") {
  for (const auto* issuer :
       {"https://other.cloudflareaccess.com", "", "example.cloudflareaccess.com",
        "https://example.cloudflareaccess.com/", "http://example.cloudflareaccess.com",
        "https://example.cloudflareaccess.com.evil.example"}) {
    Attempt attempt;
    attempt.token.claims.issuer = issuer;
    CHECK(attempt.error().kind() == ErrorKind::protocol);
    CHECK(attempt.signer.requests.empty());
  }
}

struct Refusal {
  int status;
  const char* body;
  ErrorKind kind;
  bool token_rejected;
  const char* said;
};

TEST_CASE("sign: quotes the signer, and only a rejection of the token counts as one") {
  constexpr auto refused = ErrorKind::refused, network = ErrorKind::network,
                 protocol = ErrorKind::protocol;
  const Refusal refusals[] = {
      {403, R"({"status":403,"message":"not allowed to sign"})", refused, true,
       "\"not allowed to sign\""},
      {401, R"({"status":401,"message":"token expired"})", refused, true, "\"token expired\""},
      {400, R"({"status":403,"message":"no"})", refused, true, "\"no\""},
      {200, R"({"status":403,"message":"no"})", refused, true, "\"no\""},
      {400, "unauthorized", refused, true, "\"unauthorized\""},
      {200, "Unauthorized\n", refused, true, "\"Unauthorized\""},
      {403, "", refused, true, "an empty answer"},
      {403, "{}", refused, true, "no reason given"},
      {400, R"({"status":400,"message":"key type not supported"})", refused, false,
       "\"key type not supported\""},
      {404, "404 page not found\n", refused, false, "\"404 page not found\""},
      {429, R"({"message":"slow down"})", refused, false, "\"slow down\""},
      {403, "<!DOCTYPE html><html><head><title>Access\n  Denied</title></head>", refused, false,
       "an HTML page titled \"Access Denied\""},
      {403, "<html><body>no</body></html>", refused, false, "an HTML page"},
      {502, "<HTML><TITLE lang=en>Bad Gateway</TITLE>", network, false, "titled \"Bad Gateway\""},
      {500, R"({"status":500,"message":"internal"})", network, false, "\"internal\""},
      {302, "", protocol, false, "an empty answer"},
      {204, "", protocol, false, "HTTP 204"},
      {200, "<html><title>Welcome</title></html>", protocol, false,
       "not JSON: an HTML page titled"},
      {200, "garbage", protocol, false, "not JSON: \"garbage\""},
      {200, "", protocol, false, "is empty"},
      {200, "{}", protocol, false, "holds no certificate"},
      {200, "[]", protocol, false, "not JSON"},
      {200, R"({"certificate":""})", protocol, false, "holds no certificate"},
      {200, R"({"certificate":7})", protocol, false, "holds no certificate"},
      {200, R"({"certificate":"ssh-ed25519-cert-v01@openssh.com AAAA"})", protocol, false,
       "is no SSH certificate"},
  };
  for (const auto& refusal : refusals) {
    INFO(refusal.status, " ", refusal.body);
    Attempt attempt;
    const auto scripted = answer(refusal.status, refusal.body);
    attempt.signer.script = {scripted, scripted};
    const auto error = attempt.error();
    CHECK(error.kind() == refusal.kind);
    CHECK(contains(error.message(), refusal.said));
    CHECK(contains(error.message(), team));
    CHECK(attempt.token_rejected() == refusal.token_rejected);
  }
}

TEST_CASE("sign: each known message of the signer has its hint") {
  struct Known {
    const char* message;
    const char* hint;
  };
  // As Cloudflare's documentation quotes them (docs/protocol.md section 6).
  const Known known[] = {
      {"Please create a ca for application", "generate the certificate"},
      {"Invalid issuer. Currently only cloudflareaccess subdomains are supported", "custom domain"},
      {"something else", "ask an administrator"}};
  for (const auto& [message, hint] : known)
    for (const int status : {400, 403}) {
      Attempt attempt;
      const auto scripted =
          answer(status, std::string(R"({"message":")").append(message).append("\"}"));
      attempt.signer.script = {scripted, scripted};
      const auto error = attempt.error();
      CHECK(contains(error.message(), message));
      CHECK(contains(error.hint(), hint));
    }
}

TEST_CASE("sign: a mark of Access that wants a login rejects the token, whatever page comes") {
  const std::string page = "<!DOCTYPE html><html><head><title>Sign in</title></head>";
  const Headers marks[] = {
      {{"Location", std::string("https://") + team + "/cdn-cgi/access/login/vm.example.com"}},
      {{"WWW-Authenticate", "Cloudflare-Access"}},
      {{"WWW-Authenticate", std::string("Bearer resource_metadata=\"https://") + team +
                                "/.well-known/cloudflare-access-protected-resource\""}}};
  for (const Headers& headers : marks) {
    Attempt attempt;
    Response response = answer(headers.contains("Location") ? 302 : 401, page);
    response.headers = headers;
    attempt.signer.script = {response};
    CHECK(attempt.token_rejected());
  }
}

TEST_CASE("sign: control characters and floods from the signer do not reach the terminal") {
  Attempt attempt;
  attempt.signer.script = {answer(403, "\x1b[31m" + std::string(100000, 'x'))};
  const auto message = attempt.error().message();
  CHECK(message.size() < 400);
  CHECK(contains(message, "\\x1b[31m"));
}

TEST_CASE("sign: an error never holds the token") {
  for (const int status : {200, 302, 400, 403, 500}) {
    Attempt attempt;
    attempt.signer.script = {answer(status, "words")};
    CHECK_FALSE(contains(attempt.error().message(), "payload"));
  }
}

// What the error says when ssh-keygen signs with these options.
std::string objection(const std::string& options) {
  Attempt attempt;
  attempt.signer.options = options;
  const auto error = attempt.error();
  CHECK(error.kind() == ErrorKind::protocol);
  return error.message();
}

TEST_CASE("sign: says why a certificate must not be used") {
  CHECK(contains(objection("-I id -n jdoe -V -2h:-1h"), "must not be used: it expired"));
  CHECK(contains(objection("-I id -n jdoe -V +1h:+2h"), "it becomes valid only in"));
  CHECK(contains(objection("-I id -h -n vm.example.com"), "not a user certificate"));
  CHECK(contains(objection("-I id"), "no principal"));
  CHECK(contains(objection("-I id -n jdoe -O critical:x@example.com=y"), "x@example.com"));
}

TEST_CASE("sign: a clock that may be off is hinted at") {
  Attempt attempt;
  attempt.signer.options = "-I id -n jdoe -V -2h:-1h";
  CHECK(contains(attempt.error().hint(), "this computer's clock"));
}

TEST_CASE("sign: an odd name of an option brings no hint about the clock") {
  Attempt attempt;
  attempt.signer.options = "-I id -n jdoe -O critical:clock@example.com=y";
  CHECK(attempt.error().hint().empty());
}

TEST_CASE("sign: a certificate for another key is refused") {
  Attempt attempt;
  const auto other = generate_key_pair(KeyType::ecdsa);
  attempt.signer.script = {signed_answer(attempt.signer.authority.sign(other.public_line()))};
  CHECK(contains(attempt.error().message(), "it certifies another key"));
}

}  // namespace
}  // namespace mayfly::sshgen
