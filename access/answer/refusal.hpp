// What an answer means that is not the one asked for, in words a person can act on
// (docs/protocol.md section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "access/core/error.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"

namespace mayfly {

// A redirect to Access' login page, on the application's own host or its team's: the token is
// missing or no longer good. team: its host; any team's counts while it is not known (""). What is
// behind Access may redirect to others, and must not have tokens thrown away by it.
bool leads_to_login(const Url& url, const Response& response, std::string_view team = {});

// Cause, status, cf-ray, location and cure. Kinds: refused when somebody's rule says no (401, 403,
// the login page again for a fresh token); network when the way to the origin is broken or busy
// (429, 5xx), since trying later helps; protocol when something answers that is no tunnel's end
// (2xx, redirects elsewhere, other 4xx).
Error explain_refusal(const Url& url, const Response& response);

// You logged out after this command had read the token. Error(login_needed).
Error logged_out(const Url& url);

// The same for an answer to the question for an application's metadata that holds none. Nothing
// when the answer means that there is no application, and not that the question was turned away.
std::optional<Error> explain_missing_metadata(const Url& url, const Response& response);

}  // namespace mayfly
