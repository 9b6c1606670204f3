// A team's key set: cached in "<team domain>-jwks", or fetched from the team.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/jwt/jwks.hpp"
#include "access/system/files.hpp"

namespace mayfly {

std::string keys_file(std::string_view auth_domain);

struct CachedKeys {
  KeySet keys;
  std::chrono::system_clock::time_point modified;
};

// Returns nullopt if the file is absent or unusable: keys can be fetched again.
std::optional<CachedKeys> read_cached_keys(const StateDirectory& state,
                                           std::string_view auth_domain);

// Returns whether keys fetched then still count: they are at most a day old. A file from the future
// (the clock was set back) is not fresh.
bool are_fresh(std::chrono::system_clock::time_point fetched);
// Returns whether keys fetched then are too young to be fetched again.
bool are_young(std::chrono::system_clock::time_point fetched);

struct FetchedKeys {
  KeySet keys;
  std::string json;
};

// Throws Error(network) or Error(protocol).
FetchedKeys fetch_keys(const Send& send, const std::string& auth_domain);

}  // namespace mayfly
