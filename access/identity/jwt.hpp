// JSON Web Tokens as Access makes them: compact JWS, RS256 (RFC 7515, RFC 7519).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly {

struct Jwt {
  std::string key_id;         // header "kid"; may be empty
  std::string signing_input;  // header "." payload, still encoded
  std::string signature;      // decoded
  std::string payload;        // decoded JSON text
};

// Three strict base64url parts, header alg RS256 and no "crit", both JSON objects without duplicate
// keys; at most 64 KiB. Nothing otherwise. Does not look at the signature.
std::optional<Jwt> parse_jwt(std::string_view compact);

// The claims of an app or org token (docs/protocol.md, Words).
struct TokenClaims {
  std::vector<std::string> audience;  // "aud", a string or an array of strings
  std::string issuer;
  std::string email;        // of a person
  std::string common_name;  // of a service token or client certificate
  std::string type;
  std::string subject;
  std::chrono::sys_seconds expires;
  std::optional<std::chrono::sys_seconds> issued;

  bool is_for(std::string_view audience_tag) const;
  // The email, else the common name.
  const std::string& identity() const { return email.empty() ? common_name : email; }
};

// Nothing when the payload has no "aud" or "exp" of the right type, or an "exp" outside the years
// 1970 to 9999.
std::optional<TokenClaims> token_claims(const Jwt& jwt);
// parse_jwt and token_claims in one.
std::optional<TokenClaims> read_token(std::string_view compact);

}  // namespace mayfly
