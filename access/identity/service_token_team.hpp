// The one team to which a service token's secret may go.
#pragma once

#include "access/identity/application.hpp"
#include "access/identity/service_token.hpp"
#include "access/system/files.hpp"

namespace mayfly {

// Throws Error(refused) if the service token has gone to an application of another team than this
// one. A service token belongs to one team; a name that somebody else chose or holds now may lead
// to another, and its server could read the secret. Remembers the team of the first application in
// the state directory; where nothing can be written, there is no such check.
void require_team_of(const ServiceToken& token, const Application& application,
                     const StateDirectory& state);

// Throws like require_team_of(), but remembers nothing.
void check_team_of(const ServiceToken& token, const Application& application,
                   const StateDirectory& state);

}  // namespace mayfly
