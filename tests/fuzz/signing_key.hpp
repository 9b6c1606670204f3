// Tokens whose signature is right, made in microseconds so that what lies behind the check of a
// signature is reached millions of times.
#pragma once

#include <string>
#include <string_view>

namespace mayfly::fuzz {

// An RSA key as anybody sees it, whose roots are easy to take: it keeps no secret.
struct SigningKey {
  static constexpr std::string_view id = "1";
  static std::string modulus();  // base64url; the exponent is 3, "Aw"
  static std::string key_set();  // as a team publishes it

  // Compact JWS of these two texts.
  static std::string sign(std::string_view header, std::string_view payload);
  static std::string sign(std::string_view payload);  // {"alg":"RS256","kid":"1"}
};

}  // namespace mayfly::fuzz
