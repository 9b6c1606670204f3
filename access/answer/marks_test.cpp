// The marks of Access, and what an origin may send that looks like them.
#include "access/answer/marks.hpp"

#include <doctest/doctest.h>

#include "access/answer/login.hpp"

using namespace mayfly;

namespace {

const Url url = parse_url("vm.example.com/a");

bool challenges(std::string value, int status = 401) {
  return has_login_challenge(url, status, {{"WWW-Authenticate", std::move(value)}});
}

}  // namespace

// As the live edge was recorded to write them (docs/protocol.md section 6).
TEST_CASE("a 401 of Access asks for a login") {
  const std::string metadata =
      R"(resource_metadata="https://vm.example.com/.well-known/cloudflare-access-protected-resource/a")";
  const std::string bearer =
      R"(Bearer realm="OAuth", error="invalid_token", error_description="Missing or invalid access token", )";
  CHECK(challenges("Cloudflare-Access " + metadata));
  CHECK(challenges("Cloudflare-Access"));
  CHECK(challenges("cloudflare-access " + metadata));
  CHECK(challenges(bearer + metadata));
  CHECK(challenges("Basic realm=\"other\", " + bearer + metadata));
  CHECK(challenges(
      R"(Bearer resource_metadata="https://VM.example.com:443/.well-known/cloudflare-access-protected-resource")"));
  CHECK(wants_login(url, 401, {{"WWW-Authenticate", bearer + metadata}}));
  for (const int status : {200, 302, 403, 407, 500}) {
    CHECK_FALSE(challenges(bearer + metadata, status));
    CHECK_FALSE(challenges("Cloudflare-Access " + metadata, status));
  }
}

TEST_CASE("a 401 of the origin asks for no login of Access") {
  CHECK_FALSE(has_login_challenge(url, 401, {}));
  for (
      const char* value :
      {"", "Basic realm=\"x\"", "Bearer", "Bearer realm=\"OAuth\", error=\"invalid_token\"",
       // another origin's, in each way in which an origin differs
       R"(Bearer resource_metadata="https://evil.example/.well-known/cloudflare-access-protected-resource")",
       R"(Bearer resource_metadata="https://vm.example.com.evil.example/.well-known/cloudflare-access-protected-resource")",
       R"(Bearer resource_metadata="https://vm.example.com@evil.example/.well-known/cloudflare-access-protected-resource")",
       R"(Bearer resource_metadata="https://vm.example.com:8443/.well-known/cloudflare-access-protected-resource")",
       R"(Bearer resource_metadata="http://vm.example.com/.well-known/cloudflare-access-protected-resource")",
       R"(Bearer resource_metadata="//vm.example.com/.well-known/cloudflare-access-protected-resource")",
       R"(Bearer resource_metadata="/.well-known/cloudflare-access-protected-resource")",
       R"(Cloudflare-Access resource_metadata="https://evil.example/.well-known/cloudflare-access-protected-resource")",
       // the origin's own document (RFC 9728), and paths that only begin or end like Access's
       R"(Bearer resource_metadata="https://vm.example.com/.well-known/oauth-protected-resource")",
       R"(Bearer resource_metadata="https://vm.example.com/x/.well-known/cloudflare-access-protected-resource")",
       R"(Bearer resource_metadata="https://vm.example.com/.well-known/cloudflare-access-protected-resources")",
       R"(Bearer resource_metadata="https://vm.example.com/.well-known/cloudflare-access-protected-resource/../x")",
       R"(Bearer resource_metadata="https://vm.example.com/?/.well-known/cloudflare-access-protected-resource")",
       // not a challenge, or not a whole one
       R"(Basic realm="Cloudflare-Access")", R"(Basic realm="x, Cloudflare-Access")",
       R"(Cloudflare-Access-Not)", R"(X Cloudflare-Access)", R"(Cloudflare-Access realm="x")",
       R"(Cloudflare-Access resource_metadata="https://vm.example.com/.well-known/cloudflare-access-protected-resource)",
       R"(Bearer resource_metadata="https://vm.example.com/.well-known/cloudflare-access-protected-resource", resource_metadata="x")",
       "Cloudflare-Access\x01", "Cloudflare-Access resource_metadata=\"\""}) {
    CAPTURE(value);
    CHECK_FALSE(challenges(value));
    CHECK_FALSE(is_refusal_of_access(url, 401, {{"WWW-Authenticate", value}}));
  }
  // In another header.
  CHECK_FALSE(has_login_challenge(url, 401, {{"Proxy-Authenticate", "Cloudflare-Access"}}));
}

TEST_CASE("a 401 or 403 is Access's only with a mark") {
  for (const int status : {401, 403}) {
    CHECK_FALSE(is_refusal_of_access(url, status, {{"Server", "cloudflare"}, {"CF-Ray", "x"}}));
    for (const char* name : {"cf-access-aud", "CF-Access-Domain", "Cf-Access-Error"}) {
      CAPTURE(name);
      CHECK(is_refusal_of_access(url, status, {{name, "1"}}));
      CHECK_FALSE(is_refusal_of_access(url, status, {{name, ""}}));
      CHECK_FALSE(is_refusal_of_access(url, 200, {{name, "1"}}));
      CHECK_FALSE(is_refusal_of_access(url, 404, {{name, "1"}}));
      CHECK_FALSE(wants_login(url, status, {{name, "1"}}));
    }
  }
  CHECK(is_refusal_of_access(url, 401, {{"WWW-Authenticate", "Cloudflare-Access"}}));
  CHECK_FALSE(is_refusal_of_access(url, 403, {{"WWW-Authenticate", "Cloudflare-Access"}}));
}
