// Why the edge says no, in words that a person can act on (docs/protocol.md section 4).
#pragma once

#include "access/answer/login.hpp"
#include "access/core/error.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"

namespace mayfly {

// Returns why this answer opens no tunnel: cause, status, cf-ray, location and hint. Kinds: refused
// if a rule of somebody says no (401, 403, the login page again for a fresh token); network if the
// way to the origin is broken or busy (429, 5xx), since trying later helps; protocol if something
// else than a tunnel answers (2xx, redirects elsewhere, other 4xx).
Error explain_refusal(const Url& url, const Response& response, const TeamOf& team = team_unknown);

// Returns Error(login_needed): the person logged out after this command had read the token.
Error logged_out(const Url& url);

// Returns why the answer to the question for an application's metadata, which holds none, names no
// application: the question was turned away, or else there is no Access application.
Error no_application(const Url& url, const Response& response);
bool turns_metadata_question_away(const Response& response);

}  // namespace mayfly
