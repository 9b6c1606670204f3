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

// Returns the token if it has three strict base64url parts, of which the first two are JSON objects
// without duplicate keys, "alg" is RS256, there is no "crit", and it has at most 64 KiB. Does not
// verify the signature.
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
  // Returns the email, or else the common name.
  const std::string& identity() const { return email.empty() ? common_name : email; }
};

// Returns nullopt if the payload has no "aud" or "exp" of the right type, or an "exp" outside the
// years 1970 to 9999.
std::optional<TokenClaims> token_claims(const Jwt& jwt);
// Does parse_jwt() and token_claims().
std::optional<TokenClaims> read_token(std::string_view compact);

}  // namespace mayfly
