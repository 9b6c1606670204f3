// What `mayfly logout` is about to forget.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/core/url.hpp"
#include "access/identity/inventory.hpp"

namespace mayfly::cli {

struct LogoutPlan {
  std::vector<TokenFile> tokens;
  std::vector<std::string> places;  // whose keys and certificates go, from disk and agent
  std::vector<RememberedApplication> applications;
  std::vector<std::string> key_sets;    // teams
  std::vector<std::string> lock_bases;  // unless a living process holds the lock
  std::vector<std::string> marked;      // places to mark as logged out (logout.hpp); all: none
  std::vector<std::string> kept_teams;  // whose token stays, though it opens the application
};

// Without a URL: all there is. With one: its application, as remembered for that URL or found by
// the host[-path] in file names, under every URL that is remembered to lead to it. A team's token
// and a key set that others still need stay.
LogoutPlan plan_logout(const Inventory& inventory, const std::vector<std::string>& places_with_keys,
                       const std::optional<Url>& url);

}  // namespace mayfly::cli
