// A service token: the id and secret of a machine (docs/protocol.md section 2).
#pragma once

#include <string>

#include "access/core/secret.hpp"
#include "access/http1/headers.hpp"
#include "access/jwt/jwt.hpp"

namespace mayfly {

struct ServiceToken {
  std::string id;
  Secret secret;
};

inline Headers service_token_headers(const ServiceToken& token) {
  return {{"Cf-Access-Client-Id", token.id},
          {"Cf-Access-Client-Secret", std::string(token.secret.reveal())}};
}

// Returns whether the app token with these claims came for this service token. Access writes the id
// with ".access" at its end, and people leave that off.
inline bool is_earned_by(const TokenClaims& claims, const ServiceToken& token) {
  const auto bare = [](std::string_view id) {
    constexpr std::string_view suffix = ".access";
    if (id.ends_with(suffix)) id.remove_suffix(suffix.size());
    return id;
  };
  return !claims.common_name.empty() && bare(claims.common_name) == bare(token.id);
}

}  // namespace mayfly
