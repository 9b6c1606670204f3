// Whether an answer says that Access wants a login (docs/protocol.md sections 2 and 4).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "access/core/url.hpp"
#include "access/http1/headers.hpp"

namespace mayfly {

// Returns the team domain of the application, or "" if it is not known. It may read files, so it is
// called last.
using TeamOf = std::function<std::string()>;
inline const TeamOf team_unknown = [] { return std::string(); };

// Returns the target of a 302 over https whose path is `root` or below it, at any host and port.
std::optional<Url> redirect_below(const Url& asked, int status, const Headers& headers,
                                  std::string_view root);

// Returns the login page of Access to which the answer redirects, or nullopt: a 302 to the login
// path of the application's own origin or of its team. While the team is not known, any team
// counts. The origin server may redirect elsewhere, also to other teams' login pages, and must not
// have tokens thrown away by that.
std::optional<Url> login_page(const Url& asked, int status, const Headers& headers,
                              const TeamOf& team);

// Returns whether the edge wants a login: the token is missing or no longer good.
inline bool wants_login(const Url& asked, int status, const Headers& headers,
                        const TeamOf& team = team_unknown) {
  return login_page(asked, status, headers, team).has_value();
}

// Returns whether Access lets nobody in without an identity, as far as the answer tells: a refusal,
// a redirect to another host or to a page of Access, or one that cannot be followed.
bool is_guarded(const Url& asked, int status, const Headers& headers);

}  // namespace mayfly
