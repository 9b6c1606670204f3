// Tokens on disk, under cloudflared's names (mayfly(1), FILES).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "access/core/secret.hpp"
#include "access/identity/application.hpp"
#include "access/jwt/jwt.hpp"
#include "access/system/files.hpp"

namespace mayfly {

struct StoredToken {
  Secret jwt;
  TokenClaims claims;
};

std::string app_token_file(const Application& application);  // "<app_hostname>-<aud>-token"
std::string org_token_file(std::string_view auth_domain);    // "<auth domain>-org-token"

// Checks a token that has arrived: RS256 JWT, audience, issuer, expiry in the future. Throws
// Error(protocol).
StoredToken check_app_token(const Application& application, const Secret& jwt,
                            std::chrono::sys_seconds now);

// Return the stored token if it is valid: RS256 JWT, expiry in the future, audience (app), issuer.
// Delete an expired token, and one for another audience. Text that is no JWT stays, since
// cloudflared may be writing it. So does an app token of another issuer: the metadata of a team may
// name the file of another team's token.
std::optional<StoredToken> load_app_token(const StateDirectory& state,
                                          const Application& application,
                                          std::chrono::sys_seconds now);
std::optional<StoredToken> load_org_token(const StateDirectory& state, std::string_view auth_domain,
                                          std::chrono::sys_seconds now);

// Return the stored token, valid or not, or nullopt if there is none (app: none of the
// application's team). Delete nothing.
std::optional<StoredToken> peek_app_token(const StateDirectory& state,
                                          const Application& application);
std::optional<StoredToken> peek_org_token(const StateDirectory& state,
                                          std::string_view auth_domain);

// Checks the token (check_app_token) and writes it.
StoredToken save_app_token(const StateDirectory& state, const Application& application,
                           const Secret& jwt, std::chrono::sys_seconds now);

struct TokenPair {
  Secret app_token;
  Secret org_token;  // may be empty
};
// Checks both tokens before it writes either. Does not write an org token that has expired.
StoredToken save_tokens(const StateDirectory& state, const Application& application,
                        const TokenPair& tokens, std::chrono::sys_seconds now);

// Removes the file only if it still holds this token. Returns whether it did.
bool remove_app_token(const StateDirectory& state, const Application& application,
                      const Secret& jwt);

}  // namespace mayfly
