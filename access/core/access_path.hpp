// Access's own paths on an application's host, in every spelling.
#pragma once

#include <string_view>

#include "access/core/url.hpp"

namespace mayfly {

// Returns whether a request target in origin-form ("/path?query", RFC 9112 section 3.2.1) may mean
// a path of Access: "/cdn-cgi/access" or anything below it. Access acts there on the token of the
// request: it ends sessions, tells who the person is, and seals the person's tokens to a public key
// that the query names. A target that some server could read as such a path counts as one:
// percent-encoding is undone until nothing changes, and upper case, "//", "/./", "/../",
// backslashes, parameters (";"), control characters and overlong UTF-8 hide nothing.
bool may_be_path_of_access(std::string_view target);

// Throws usage Error if the URL's path may be one of Access. No command takes such a URL for that
// of an application: the URL may come from a foreign link or script, and credentials go where it
// leads.
void refuse_path_of_access(const Url& url);

}  // namespace mayfly
