// The application that a URL argument of curl leads to.
#pragma once

#include <string_view>

#include "access/core/url.hpp"

namespace mayfly::cli {

// Returns the part of the URL that is common to all URLs that curl makes of the argument: host and
// port, the path up to the first glob or invalid character, and the query unless it holds one. User
// and password are left out. The host is the one that curl asks; otherwise throws Error(usage).
Url parse_curl_url(std::string_view argument);

// Throws usage Error if the argument, or a result of its globs, may lead to a path of Access other
// than get-identity and logout: the command line may come from an attacker, and Access gives out
// tokens there.
void refuse_access_in_curl_url(std::string_view argument);
// Does the same for the value of --request-target.
void refuse_access_in_curl_target(std::string_view target);

// Returns the part of a URL with globs that stands before the query and the fragment of all of its
// results: a "?" within a glob begins a query in some of them alone.
std::string_view before_query_of_globs(std::string_view argument);

// Returns the URL of the person's application: without the path if that is a path of Access.
Url application_of_curl_url(Url url);

}  // namespace mayfly::cli
