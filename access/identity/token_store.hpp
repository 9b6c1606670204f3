// Tokens on disk, under cloudflared's names (cli.md, Files).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "access/core/files.hpp"
#include "access/core/secret.hpp"
#include "access/identity/application.hpp"
#include "access/identity/jwt.hpp"

namespace mayfly {

struct StoredToken {
  Secret jwt;
  TokenClaims claims;
};

std::string app_token_file(const Application& application);         // "<app_hostname>-<aud>-token"
std::string org_token_file(std::string_view auth_domain);           // "<auth domain>-org-token"

// The valid token for this application; an expired, foreign or unreadable one is deleted.
std::optional<StoredToken> load_app_token(const StateDirectory& state, const Application& application,
                                          std::chrono::sys_seconds now);
std::optional<StoredToken> load_org_token(const StateDirectory& state, std::string_view auth_domain,
                                          std::chrono::sys_seconds now);

// Checks before it writes: RS256 JWT, audience, expiry, issuer. Throws Error(protocol) for one that is not what was
// asked for.
StoredToken save_app_token(const StateDirectory& state, const Application& application, const Secret& jwt,
                           std::chrono::sys_seconds now);
void save_org_token(const StateDirectory& state, std::string_view auth_domain, const Secret& jwt,
                    std::chrono::sys_seconds now);
void remove_app_token(const StateDirectory& state, const Application& application);

}  // namespace mayfly
