// What lies in the state directory: tokens and remembered applications, in whatever state they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/identity/application.hpp"
#include "access/identity/jwt.hpp"
#include "access/system/files.hpp"

namespace mayfly {

// A "<place>-<audience>-token" or "<auth domain>-org-token".
struct TokenFile {
  std::string name;
  enum class Kind { application, team } kind = Kind::application;
  // What the name says it opens: an application's hostname with "/" and "*" as "-", or the team.
  std::string place;
  std::optional<TokenClaims> claims;  // nothing: it holds no such token
  std::string objection;              // why not; fit to be shown
};

// A "<place>-app", as it says of itself: the signature is not looked at.
struct RememberedApplication {
  std::string file;
  std::string place;  // place.hpp
  std::string host;   // that was asked
  Application application;
};

struct Inventory {
  std::vector<TokenFile> tokens;
  std::vector<RememberedApplication> applications;
  std::vector<std::string> key_sets;    // teams with a "<auth domain>-jwks"
  std::vector<std::string> lock_bases;  // of login locks and URLs, "<base>.lock" and "<base>.url"
};

// Reads and changes nothing. What neither mayfly nor cloudflared's access commands keep there is
// left out: a token of an application is known by 64 hex digits, or by its content. Names in
// order. Throws Error(failed) when the directory cannot be listed.
Inventory take_inventory(const StateDirectory& state);

// The application's hostname as it was defined when it is remembered, else the place with the "*"
// back at its front. Not fit to be shown as it is.
std::string hostname_at(std::string_view place, const Inventory& inventory);

// The place of a file name "<place>-<64 hex digits>-token".
std::optional<std::string> place_in_token_name(std::string_view name);

}  // namespace mayfly
