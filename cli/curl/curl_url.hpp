// The application that an argument of curl's leads to.
#pragma once

#include <string_view>

#include "access/core/url.hpp"

namespace mayfly::cli {

// Host, port, path and query, as far as they are the same for all that curl makes of the argument:
// no user and password, of the path nothing from the first glob or other character on that stands
// in no URL, and no query that holds one. The host is the one that curl asks, or Error(usage).
Url parse_curl_url(std::string_view argument);

}  // namespace mayfly::cli
