// A service token: the id and secret of a machine (docs/protocol.md section 2).
#pragma once

#include <string>
#include <string_view>

#include "access/answer/machine.hpp"
#include "access/core/secret.hpp"
#include "access/http1/headers.hpp"
#include "access/jwt/jwt.hpp"

namespace mayfly {

struct ServiceToken {
  std::string id;
  Secret secret;
};

inline Headers service_token_headers(const ServiceToken& token) {
  return {{std::string(service_token_id_header), token.id},
          {std::string(service_token_secret_header), std::string(token.secret.reveal())}};
}

// Returns the id without the ".access" that Access writes at its end, and that people leave off.
inline std::string_view bare_id(std::string_view id) {
  constexpr std::string_view suffix = ".access";
  if (id.ends_with(suffix)) id.remove_suffix(suffix.size());
  return id;
}

// Returns whether the app token with these claims came for this service token.
inline bool is_earned_by(const TokenClaims& claims, const ServiceToken& token) {
  return !claims.common_name.empty() && bare_id(claims.common_name) == bare_id(token.id);
}

}  // namespace mayfly
