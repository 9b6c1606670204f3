// What `mayfly logout` removes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/core/url.hpp"
#include "access/identity/inventory.hpp"

namespace mayfly::cli {

struct LogoutPlan {
  std::vector<TokenFile> tokens;
  std::vector<std::string> places;  // file stems of keys and certificates, on disk and in the agent
  std::vector<RememberedApplication> applications;
  std::vector<OauthFile> oauth_files;
  std::vector<std::string> key_sets;        // team domains
  std::vector<std::string> service_tokens;  // ids whose team is remembered
  std::vector<std::string> lock_bases;      // unless a living process holds the lock
  std::vector<std::string> marked;      // stems to mark as logged out (logout.hpp); empty for all
  std::vector<std::string> kept_teams;  // teams whose org token opens the application and stays
};

// Plans to remove all that is stored, or with a URL one application: the application that is
// recorded for the URL or found by the file stem, with all URLs that are recorded to lead to it.
// Org tokens and key sets that other applications need stay.
LogoutPlan plan_logout(const Inventory& inventory, const std::vector<std::string>& places_with_keys,
                       const std::optional<Url>& url);

}  // namespace mayfly::cli
