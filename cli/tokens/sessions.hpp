// The sessions at Access that the stored tokens belong to.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "access/core/secret.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/identity/inventory.hpp"
#include "access/identity/logout.hpp"
#include "access/system/files.hpp"

namespace mayfly::cli {

// A session of a person in a team, and the token that stands for it.
struct AccessSession {
  std::string team;                             // the team domain
  std::optional<Application> application = {};  // of an app token; nullopt for an org token
  Url at;                                       // the only server that the token goes to
  Secret token;

  // The team domain, or the application's hostname. Not fit to be shown as it is.
  const std::string& name() const { return application ? application->hostname : team; }
};

// Returns one session for each team of the valid tokens among `tokens`, by its org token if there
// is one, else by an app token whose host is recorded. An application on a path of its host has
// none.
std::vector<AccessSession> sessions_of(const StateDirectory& state, const Inventory& inventory,
                                       const std::vector<TokenFile>& tokens,
                                       std::chrono::sys_seconds now);

// Throws Error(protocol) unless the host of an app token still is its application: the edge is
// asked if the record is too old, as before each use of a token. Writes no file.
void verify_host(const StateDirectory& state, const Send& send, const AccessSession& session);

// Throws Error(login_needed) if a logout has come since `logouts` was made.
void require_no_logout(const LogoutWatch& logouts, const AccessSession& session);

}  // namespace mayfly::cli
