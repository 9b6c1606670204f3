// What login and token say about a token: as JSON, and to the person at a terminal.
#pragma once

#include <chrono>
#include <string>

#include "access/identity/application.hpp"
#include "access/identity/credentials.hpp"
#include "access/identity/token_store.hpp"

namespace mayfly::cli {

// {"application":...,"identity":...,"expires":...}; the last two null when no token is issued.
std::string login_json(const Application& application, const std::optional<StoredToken>& token);

// {"token":...,"expires":...,"identity":...,"audience":...}: the one product that holds a token.
std::string token_json(const Application& application, const StoredToken& token);

// "logged in as jdoe@example.com until 18:42", fit to be shown.
std::string logged_in_line(const TokenClaims& claims, std::chrono::sys_seconds now);

}  // namespace mayfly::cli
