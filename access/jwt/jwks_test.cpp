#include "access/jwt/jwks.hpp"

#include <doctest/doctest.h>
#include <openssl/err.h>

#include "access/core/encoding.hpp"
#include "access/testing/tokens.hpp"

using namespace mayfly;
using namespace mayfly::test;

namespace {

// RFC 7515 appendix A.2, with a key id added to the key.
constexpr auto kRfcModulus =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp"
    "-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOW"
    "vG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs"
    "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9k"
    "G4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2"
    "PAcDTW9gb54h4FRWyuXpoQ";
constexpr auto kRfcToken =
    "eyJhbGciOiJSUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
    "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
    "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
    "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
    "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
    "p0igcN_IoypGlUPQGe77Rw";

Claims jwk() {
  return Claims().text("kty", "RSA").text("kid", "a2").text("e", "AQAB").text("n", kRfcModulus);
}

bool verifies(const Claims& key, const Jwt& jwt) {
  const auto keys = KeySet::parse(key_set({key.json()}));
  REQUIRE(keys);
  return keys->verifies(jwt);
}

Jwt rfc_jwt() {
  auto jwt = parse_jwt(kRfcToken);
  REQUIRE(jwt);
  jwt->key_id = "a2";
  return *jwt;
}

}  // namespace

TEST_CASE("the RS256 example of RFC 7515 verifies") {
  CHECK(verifies(jwk(), rfc_jwt()));
  CHECK(verifies(jwk().text("alg", "RS256").text("use", "sig"), rfc_jwt()));
}

TEST_CASE("the key file that cloudflared writes is read") {
  // As cloudflared 2026.8.2 stored it after a login.
  const auto keys = KeySet::parse(
      R"({"keys":[{"use":"sig","kty":"RSA","kid":"k1","alg":"RS256","n":"oRAptCEJY2adb7hUM0f9geC)"
      "zcMt1UsDdEIsu43dYiwYlDYMbXzPWFXMeuZvMGkA4q8RcbM9WObiqnueQdtBvj7JczNPN79gqBw1eRaGOsP928Cgd"
      "1KGE0UH68ed6cwaQFJPI-nzDTG57DT8V82Bn6m7mp_jdGQDFd-iQ76qYJ1Wetk0h3aM3MwZGJvl8qctsJXCTZnNyn"
      "8P0T0IPXZbg6ytsZDRQMh1UrA8fQOQT32c4Xy8pRq1xLnVY7jrhIqTiiAafQgtiGPIvQ7JYL49cU1OOdpNS8m4CcZ"
      R"(_xwRNjsMY9XzGLDyFlGqWk1on4Dt1NZZrXQoBWy6KLs3oTl6yKbw","e":"AQAB"}]})");
  REQUIRE(keys);
  CHECK_FALSE(keys->empty());
}

TEST_CASE("a changed message, signature or key id does not verify") {
  Jwt jwt = rfc_jwt();
  jwt.signing_input.back() = static_cast<char>(jwt.signing_input.back() ^ 1);
  CHECK_FALSE(verifies(jwk(), jwt));
  jwt = rfc_jwt();
  jwt.signature.front() = static_cast<char>(jwt.signature.front() ^ 1);
  CHECK_FALSE(verifies(jwk(), jwt));
  jwt = rfc_jwt();
  jwt.signature.pop_back();
  CHECK_FALSE(verifies(jwk(), jwt));
  jwt = rfc_jwt();
  jwt.key_id = "a3";
  CHECK_FALSE(verifies(jwk(), jwt));
  jwt.key_id = "";
  CHECK_FALSE(verifies(jwk(), jwt));
}

TEST_CASE("a signature that does not verify leaves OpenSSL no error to show others") {
  Jwt jwt = rfc_jwt();
  jwt.signature.front() = static_cast<char>(jwt.signature.front() ^ 1);
  CHECK_FALSE(verifies(jwk(), jwt));
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("keys that are not for RS256 are passed over") {
  const std::vector<Claims> keys = {jwk().text("use", "enc"),
                                    jwk().text("alg", "RS512"),
                                    jwk().text("alg", "PS256"),
                                    jwk().text("kty", "EC"),
                                    jwk().without("kty"),
                                    jwk().without("kid"),
                                    jwk().text("e", "AQ"),    // 1
                                    jwk().text("e", "AQAA"),  // even
                                    jwk().text("e", ""),
                                    jwk().text("e", "AQAB="),
                                    jwk().without("e"),
                                    jwk().without("n"),
                                    jwk().text("n", std::string(kRfcModulus) + "AA")};
  for (const Claims& key : keys) {
    CAPTURE(key.json());
    CHECK_FALSE(verifies(key, rfc_jwt()));
  }
  const auto mixed = KeySet::parse(key_set({keys[0].json(), keys[3].json(), jwk().json()}));
  REQUIRE(mixed);
  CHECK(mixed->verifies(rfc_jwt()));
}

// RFC 7517 section 4.3. ("sign" is the private half's, and beside "verify" there it is consistent
// with "use": "sig".)
TEST_CASE("a key verifies when its key_ops, if it has them, say so") {
  for (const char* operations : {R"(["verify"])", R"(["sign","verify"])", R"(["verify","sign"])",
                                 R"(["verify","of-some-extension"])"}) {
    CAPTURE(operations);
    CHECK(verifies(jwk().raw("key_ops", operations), rfc_jwt()));
  }
  CHECK(verifies(jwk().raw("key_ops", R"(["verify"])").text("use", "sig"), rfc_jwt()));
  for (const char* operations :
       {R"([])", R"(["sign"])", R"(["encrypt"])", R"(["Verify"])", R"(["verify","verify"])",
        R"(["verify","sign","sign"])", R"("verify")", R"({"verify":true})", R"(null)", R"(true)",
        R"(1)", R"(["verify",1])", R"([["verify"]])", R"(["verify",null])"}) {
    CAPTURE(operations);
    CHECK_FALSE(verifies(jwk().raw("key_ops", operations), rfc_jwt()));
  }
  for (const char* operations : {R"(["verify","encrypt"])", R"(["verify","deriveKey"])"})
    CHECK_FALSE(verifies(jwk().raw("key_ops", operations).text("use", "sig"), rfc_jwt()));
  for (const char* use : {"null", "1", R"(["sig"])", R"("")", R"("SIG")"})
    CHECK_FALSE(verifies(jwk().raw("use", use), rfc_jwt()));
  for (const char* algorithm : {"null", R"(["RS256"])", R"("none")", R"("rs256")"})
    CHECK_FALSE(verifies(jwk().raw("alg", algorithm), rfc_jwt()));
}

TEST_CASE("short keys are passed over") {
  const SigningKey weak("weak", 1024);
  const auto keys = KeySet::parse(key_set({weak.jwk()}));
  REQUIRE(keys);
  CHECK(keys->empty());
  CHECK_FALSE(keys->verifies(*parse_jwt(weak.sign(Claims()))));
  const auto too_long = KeySet::parse(key_set({jwk().text("n", std::string(22000, 'f')).json()}));
  REQUIRE(too_long);
  CHECK(too_long->empty());
}

TEST_CASE("of two keys with one id either may have signed") {
  const auto keys = KeySet::parse(key_set({foreign_key().jwk(), team_key().jwk()}));
  REQUIRE(keys);
  CHECK(keys->verifies(*parse_jwt(team_key().sign(Claims()))));
}

TEST_CASE("text that is no key set is refused") {
  for (const std::string& text :
       {std::string(""), std::string("[]"), std::string("{}"), std::string(R"({"keys":{}})"),
        std::string(R"({"keys":[7]})"), std::string(R"({"keys":[]} x)"),
        std::string(R"({"keys":[],"keys":[]})"), std::string("<html>"),
        key_set(std::vector<std::string>(65, "{}"))}) {
    CAPTURE(text.substr(0, 80));
    CHECK_FALSE(KeySet::parse(text));
  }
  CHECK(KeySet::parse(key_set({}))->empty());
  CHECK(KeySet::parse(key_set(std::vector<std::string>(64, "{}"))));
}
