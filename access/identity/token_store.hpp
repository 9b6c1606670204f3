// Tokens on disk, under cloudflared's names (mayfly(1), FILES).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "access/core/secret.hpp"
#include "access/identity/application.hpp"
#include "access/identity/jwt.hpp"
#include "access/system/files.hpp"

namespace mayfly {

struct StoredToken {
  Secret jwt;
  TokenClaims claims;
};

std::string app_token_file(const Application& application);  // "<app_hostname>-<aud>-token"
std::string org_token_file(std::string_view auth_domain);    // "<auth domain>-org-token"

// A token as it came, checked: RS256 JWT, audience, issuer, expiry in the future. Throws
// Error(protocol) for one that is not what was asked for.
StoredToken check_app_token(const Application& application, const Secret& jwt,
                            std::chrono::sys_seconds now);

// The valid token: RS256 JWT, expiry in the future, audience (app), issuer. An expired or foreign
// one is deleted. Text that is no JWT stays: it may be one that cloudflared is writing. So does an
// application's token that another team issued: a team's metadata may name what it likes, and with
// that the file of somebody else's token.
std::optional<StoredToken> load_app_token(const StateDirectory& state,
                                          const Application& application,
                                          std::chrono::sys_seconds now);
std::optional<StoredToken> load_org_token(const StateDirectory& state, std::string_view auth_domain,
                                          std::chrono::sys_seconds now);

// The token as it lies there, valid or not; nothing is deleted. Nothing: there is no token (app:
// of the application's team).
std::optional<StoredToken> peek_app_token(const StateDirectory& state,
                                          const Application& application);
std::optional<StoredToken> peek_org_token(const StateDirectory& state,
                                          std::string_view auth_domain);

// Writes after check_app_token.
StoredToken save_app_token(const StateDirectory& state, const Application& application,
                           const Secret& jwt, std::chrono::sys_seconds now);

struct TokenPair {
  Secret app_token;
  Secret org_token;  // may be empty
};
// Checks both before it writes either. An org token that has expired already is left out.
StoredToken save_tokens(const StateDirectory& state, const Application& application,
                        const TokenPair& tokens, std::chrono::sys_seconds now);

void remove_app_token(const StateDirectory& state, const Application& application);
// Only when the file still holds this token. True when it did.
bool remove_app_token(const StateDirectory& state, const Application& application,
                      const Secret& jwt);

}  // namespace mayfly
