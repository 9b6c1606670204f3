// A team's keys: those that are kept in "<auth domain>-jwks", and those that the team publishes.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/identity/jwks.hpp"
#include "access/system/files.hpp"

namespace mayfly {

std::string keys_file(std::string_view auth_domain);

struct CachedKeys {
  KeySet keys;
  std::chrono::system_clock::time_point modified;
};

// Returns nullopt for a file that is absent or cannot be used: keys can be fetched again.
std::optional<CachedKeys> read_cached_keys(const StateDirectory& state,
                                           std::string_view auth_domain);

// Whether keys fetched then still count: they are a day old at most. A file from the future (the
// clock was set back) is not fresh.
bool are_fresh(std::chrono::system_clock::time_point fetched);
// Whether keys fetched then are too young to be fetched again.
bool are_young(std::chrono::system_clock::time_point fetched);

struct FetchedKeys {
  KeySet keys;
  std::string json;
};

// About another answer than the metadata's.
struct KeysError : Error {
  explicit KeysError(const Error& error) : Error(error) {}
};

// Throws KeysError.
FetchedKeys fetch_keys(const Send& send, const std::string& auth_domain);

}  // namespace mayfly
