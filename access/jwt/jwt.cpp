#include "access/jwt/jwt.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "access/core/clock.hpp"
#include "access/core/encoding.hpp"
#include "access/core/json.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

constexpr std::size_t kMaxTokenBytes = std::size_t{64} * 1024;

using Json = nlohmann::json;

std::optional<Json> decode_object(std::string_view text) {
  auto value = parse_json(text);
  if (!value || !value->is_object()) return std::nullopt;
  return value;
}

// RFC 7519 section 4.1.3: one string, or an array of strings.
std::optional<std::vector<std::string>> audience_of(const Json& claims) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return std::nullopt;
  if (found->is_string()) return std::vector{found->get<std::string>()};
  if (!found->is_array()) return std::nullopt;
  std::vector<std::string> audience;
  for (const Json& entry : *found) {
    if (!entry.is_string()) return std::nullopt;
    audience.push_back(entry.get<std::string>());
  }
  return audience;
}

std::optional<std::chrono::sys_seconds> time_member(const Json& claims, const char* name) {
  const auto seconds = integer_member(claims, name);
  if (!seconds || *seconds < 0) return std::nullopt;
  const std::chrono::sys_seconds time{std::chrono::seconds(*seconds)};
  return time > last_second ? std::nullopt : std::optional(time);
}

}  // namespace

std::optional<Jwt> parse_jwt(std::string_view compact) {
  if (compact.size() > kMaxTokenBytes) return std::nullopt;
  const auto parts = split(compact, '.');
  if (parts.size() != 3) return std::nullopt;
  const auto header_text = base64_decode(parts[0], Base64::url_unpadded);
  auto payload = base64_decode(parts[1], Base64::url_unpadded);
  auto signature = base64_decode(parts[2], Base64::url_unpadded);
  if (!header_text || !payload || !signature || signature->empty()) return std::nullopt;

  const auto header = decode_object(*header_text);
  if (!header || string_member(*header, "alg") != "RS256") return std::nullopt;
  // RFC 7515 section 4.1.11: it names extensions that must be understood; mayfly understands none.
  if (header->contains("crit")) return std::nullopt;
  if (header->contains("kid") && !(*header)["kid"].is_string()) return std::nullopt;
  if (!decode_object(*payload)) return std::nullopt;

  return Jwt{.key_id = string_member(*header, "kid").value_or(""),
             .signing_input = std::string(compact.substr(0, parts[0].size() + 1 + parts[1].size())),
             .signature = std::move(*signature),
             .payload = std::move(*payload)};
}

bool TokenClaims::is_for(std::string_view audience_tag) const {
  return !audience_tag.empty() &&
         std::find(audience.begin(), audience.end(), audience_tag) != audience.end();
}

std::optional<TokenClaims> token_claims(const Jwt& jwt) {
  const auto object = decode_object(jwt.payload);
  if (!object) return std::nullopt;
  auto audience = audience_of(*object);
  const auto expires = time_member(*object, "exp");
  if (!audience || !expires) return std::nullopt;

  const auto text = [&](const char* name) { return string_member(*object, name).value_or(""); };
  return TokenClaims{.audience = std::move(*audience),
                     .issuer = text("iss"),
                     .email = text("email"),
                     .common_name = text("common_name"),
                     .type = text("type"),
                     .subject = text("sub"),
                     .expires = *expires,
                     .issued = time_member(*object, "iat")};
}

std::optional<TokenClaims> read_token(std::string_view compact) {
  const auto jwt = parse_jwt(compact);
  return jwt ? token_claims(*jwt) : std::nullopt;
}

}  // namespace mayfly
