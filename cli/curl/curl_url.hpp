// The application that an argument of curl's leads to.
#pragma once

#include <string_view>

#include "access/core/url.hpp"

namespace mayfly::cli {

// Host, port, path and query, as far as they are the same for all that curl makes of the argument:
// no user and password, of the path nothing from the first glob or other character on that stands
// in no URL, and no query that holds one. The host is the one that curl asks, or Error(usage).
Url parse_curl_url(std::string_view argument);

// Throws usage Error if the argument, or what a glob in it makes, may lead to a path of Access, but
// for get-identity and logout: the command line may be somebody else's, and Access hands the tokens
// out there.
void refuse_access_in_curl_url(std::string_view argument);
// The same for the value of --request-target.
void refuse_access_in_curl_target(std::string_view target);

// Returns the URL itself, or for a path of Access that of its host: the person's application.
Url application_of_curl_url(Url url);

}  // namespace mayfly::cli
