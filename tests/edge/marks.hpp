// The answers by which Access says that a login is wanted or that nobody may pass, and their marks.
#pragma once

#include "visit.hpp"

namespace edge {

// The 302 to the team's login page; or in its place a 401, to a page's own requests
// (X-Requested-With) and, with Managed OAuth, to clients that are no browser.
Response login_wanted(Visit& visit);

// The 403 of Access, with cf-access-aud, cf-access-domain and Cf-Access-Error.
Response access_forbidden(const Visit& visit);

// The 401 of a strict organisation for a service token that does not authenticate.
Response service_unauthorized(const Visit& visit);

// The 401 for a missing or bad access token of Managed OAuth.
Response bearer_challenge(const Visit& visit);

// The mark of every answer that wants a login.
Field login_mark(const Visit& visit);

}  // namespace edge
