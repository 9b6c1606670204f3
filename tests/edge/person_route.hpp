// The session of a person: get-identity shows it, logout ends it.
#pragma once

#include "visit.hpp"

namespace edge {

// /cdn-cgi/access/get-identity, at a team domain and at an application's host.
Answer show_identity(const Visit& visit, const std::string& team);
Answer show_identity(const Visit& visit);

// /cdn-cgi/access/logout: ends every session of the person whose cookie comes, in every application
// of the team.
Answer log_out(Visit& visit, const std::string& team);

}  // namespace edge
