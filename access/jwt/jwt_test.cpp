#include "access/jwt/jwt.hpp"

#include <doctest/doctest.h>

#include "access/core/encoding.hpp"
#include "access/testing/tokens.hpp"

using namespace mayfly;
using namespace mayfly::test;
using std::chrono::seconds;
using std::chrono::sys_seconds;

namespace {

std::string compact(std::string_view header, std::string_view payload,
                    std::string_view signature = "signature") {
  return base64_encode(header, Base64::url_unpadded) + "." +
         base64_encode(payload, Base64::url_unpadded) + "." +
         base64_encode(signature, Base64::url_unpadded);
}

constexpr auto kHeader = R"({"alg":"RS256","kid":"k"})";

std::optional<TokenClaims> claims_of(std::string_view payload) {
  return read_token(compact(kHeader, payload));
}

}  // namespace

TEST_CASE("a JWT is taken apart") {
  const auto jwt = parse_jwt(compact(kHeader, R"({"a":1})"));
  REQUIRE(jwt);
  CHECK(jwt->key_id == "k");
  CHECK(jwt->payload == R"({"a":1})");
  CHECK(jwt->signature == "signature");
  // printf '{"alg":"RS256","kid":"k"}' | base64; printf '{"a":1}' | base64, without "="
  CHECK(jwt->signing_input == "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJhIjoxfQ");
  CHECK(parse_jwt(compact(R"({"alg":"RS256"})", "{}"))->key_id.empty());
}

TEST_CASE("only RS256 counts") {
  for (const char* header :
       {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"HS256"})", R"({"alg":"RS384"})",
        R"({"alg":"rs256"})", R"({"alg":["RS256"]})", R"({"typ":"JWT"})", R"({})"}) {
    CAPTURE(header);
    CHECK_FALSE(parse_jwt(compact(header, "{}")));
  }
}

TEST_CASE("a token that is no strict compact JWS is refused") {
  const std::string good = compact(kHeader, "{}");
  CHECK(parse_jwt(good));
  const std::vector<std::string> bad = {
      "",
      ".",
      "..",
      good + ".",
      good + "." + good,
      good + "=",
      good + "\n",
      " " + good,
      good.substr(0, good.rfind('.')),
      good.substr(0, good.rfind('.') + 1),  // no signature
      compact(R"({"alg":"RS256","crit":["exp"]})", "{}"),
      compact(R"({"alg":"none","alg":"RS256"})", "{}"),
      compact(R"({"alg":"RS256","kid":7})", "{}"),
      compact(R"(["RS256"])", "{}"),
      compact("", "{}"),
      compact(kHeader, ""),
      compact(kHeader, "[]"),
      compact(kHeader, "{}x"),
      compact(kHeader, R"({"a":1,"a":2})"),
      compact(kHeader, "{\"a\":\"" + std::string(64 * 1024, 'x') + "\"}"),
  };
  for (const std::string& text : bad) {
    CAPTURE(text.substr(0, 200));
    CHECK_FALSE(parse_jwt(text));
  }
}

TEST_CASE("claims are read") {
  const auto claims =
      claims_of(R"({"aud":["x","y"],"email":"jdoe@example.com","exp":1700000001,"iat":1700000000,)"
                R"("iss":"https://team.cloudflareaccess.com","type":"app","sub":"s"})");
  REQUIRE(claims);
  CHECK(claims->audience == std::vector<std::string>{"x", "y"});
  CHECK(claims->is_for("y"));
  CHECK_FALSE(claims->is_for("z"));
  CHECK_FALSE(claims->is_for(""));
  CHECK(claims->issuer == "https://team.cloudflareaccess.com");
  CHECK(claims->identity() == "jdoe@example.com");
  CHECK(claims->type == "app");
  CHECK(claims->subject == "s");
  CHECK(claims->expires == sys_seconds(seconds(1700000001)));
  CHECK(claims->issued == sys_seconds(seconds(1700000000)));
}

TEST_CASE("the audience may be a plain string, the identity a common name") {
  const auto claims = claims_of(R"({"aud":"x","exp":1,"common_name":"id.access"})");
  REQUIRE(claims);
  CHECK(claims->is_for("x"));
  CHECK(claims->identity() == "id.access");
  CHECK_FALSE(claims->issued);
}

TEST_CASE("claims without audience or expiry of the right type are none") {
  for (const char* payload :
       {R"({"exp":1})", R"({"aud":"x"})", R"({"aud":7,"exp":1})", R"({"aud":["x",7],"exp":1})",
        R"({"aud":"x","exp":"1"})", R"({"aud":"x","exp":1.5})", R"({"aud":"x","exp":-1})",
        R"({"aud":"x","exp":253402300800})", R"({"aud":"x","exp":99999999999999999999})"}) {
    CAPTURE(payload);
    CHECK_FALSE(claims_of(payload));
  }
}
