// Tokens: as they come, or as two lines of JSON that are put together here.
#include <nlohmann/json.hpp>

#include "access/core/encoding.hpp"
#include "access/jwt/jwt.hpp"
#include "fuzz.hpp"
#include "property.hpp"
#include "signing_key.hpp"

namespace mayfly::fuzz {
namespace {

using nlohmann::json;

std::string compact_form(std::string_view input) {
  if (!input.starts_with('{')) return std::string(input);
  Input lines(input);
  const auto header = lines.line();
  const auto encoded = [](std::string_view part) {
    return base64_encode(part, Base64::url_unpadded);
  };
  return encoded(header) + "." + encoded(lines.rest()) + "." + encoded("signature");
}

void check_claims(const TokenClaims& claims, const json& payload) {
  const std::int64_t expires = claims.expires.time_since_epoch().count();
  require(payload.at("exp") == expires && expires >= 0, "the expiry is the token's");
  const json& audience = payload.at("aud");
  require(audience.is_string() ? claims.audience == std::vector{audience.get<std::string>()}
                               : audience == json(claims.audience),
          "the audience is the token's");
  require(!claims.is_for(""), "no token is for nobody");
}

const Harness harness("jwt", [](std::string_view input) {
  const std::string compact = compact_form(input);
  const auto jwt = parse_jwt(compact);
  const auto claims = read_token(compact);
  require(jwt || !claims, "there are no claims without a token");
  if (!jwt) return;
  require(compact.size() <= 64 * 1024, "a token is bounded");
  require(jwt->signing_input + "." + base64_encode(jwt->signature, Base64::url_unpadded) == compact,
          "what was read is all there is");
  const auto dot = jwt->signing_input.find('.');
  const json header =
      json::parse(*base64_decode(jwt->signing_input.substr(0, dot), Base64::url_unpadded));
  require(header.at("alg") == "RS256" && !header.contains("crit"), "the algorithm is RS256");
  const json payload = json::parse(jwt->payload);
  require(payload.is_object(), "the payload is an object");
  if (claims) check_claims(*claims, payload);
});

}  // namespace
}  // namespace mayfly::fuzz
