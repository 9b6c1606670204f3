// Lists the state directory: tokens, records, key sets and locks, valid or not.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/identity/application.hpp"
#include "access/jwt/jwt.hpp"
#include "access/system/files.hpp"

namespace mayfly {

// A "<place>-<audience>-token" or "<auth domain>-org-token".
struct TokenFile {
  std::string name;
  enum class Kind { application, team } kind = Kind::application;
  // By its name: an application's hostname with "/" and "*" as "-", or the team.
  std::string place;
  std::optional<TokenClaims> claims;  // nullopt: it holds no such token
  std::string objection;              // why it does not; fit to be shown
};

// A record, "<place>-app", without a check of its signature.
struct RememberedApplication {
  std::string file;
  std::string place;  // place.hpp
  std::string host;   // for which the edge was asked
  Application application;
};

// A file of Managed OAuth.
struct OauthFile {
  std::string name;
  enum class Kind { grant, client } kind = Kind::grant;
  std::string place;  // place.hpp
  struct Grant {
    std::string application, audience;
    std::chrono::sys_seconds expires;
    bool renews_itself = false;
  };
  std::optional<Grant> grant = {};  // nullopt for a client, and for a file that holds no grant
};

struct Inventory {
  std::vector<TokenFile> tokens;
  std::vector<RememberedApplication> applications;
  std::vector<OauthFile> oauth_files;
  std::vector<std::string> key_sets;        // teams with a "<auth domain>-jwks"
  std::vector<std::string> service_tokens;  // ids with a "<id>-service-team"
  std::vector<std::string> lock_bases;  // of login locks and URLs, "<base>.lock" and "<base>.url"
};

// Lists the files of mayfly and of cloudflared's access commands, in the order of their names, and
// changes nothing. The file of an app token is recognised by 64 hex digits in its name, or by its
// content. Throws Error(failed) if the directory cannot be listed.
Inventory take_inventory(const StateDirectory& state);

// Returns the application's hostname as its record has it, or else the place with the "*" back at
// its front. Not fit to be shown as it is.
std::string hostname_at(std::string_view place, const Inventory& inventory);

// Returns the place in a file name "<place>-<64 hex digits>-token".
std::optional<std::string> place_in_token_name(std::string_view name);

}  // namespace mayfly
