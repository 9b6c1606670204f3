// The marks by which Access tells its own answers from those of the origin (docs/protocol.md
// section 6). The origin can forge each of them.
#pragma once

#include "access/core/url.hpp"
#include "access/http1/headers.hpp"

namespace mayfly {

// Returns whether the answer is the 401 that Access sends in place of the redirect to its login
// page: the challenge Cloudflare-Access, or a Bearer challenge whose resource_metadata is the
// document of Access about `asked`'s own origin.
bool has_login_challenge(const Url& asked, int status, const Headers& headers);

// Returns whether a 401 or 403 is Access's own. Without a mark it is the origin's.
bool is_refusal_of_access(const Url& asked, int status, const Headers& headers);

}  // namespace mayfly
