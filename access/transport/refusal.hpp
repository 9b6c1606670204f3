// What an answer other than 101 to the upgrade means, in words a person can act on (protocol.md section 4).
#pragma once

#include <string>

#include "access/core/error.hpp"
#include "access/core/url.hpp"
#include "access/transport/http.hpp"

namespace mayfly {

// Cause, cf-ray and cure: 302 elsewhere, 401/403 (policy, client certificate, WAF, challenge), 404, 502/530/1033
// (tunnel or origin down), 200 (plain HTTP or WebSockets off), a 101 with a wrong Sec-WebSocket-Accept.
Error explain_refusal(const Url& url, const Response& response);

}  // namespace mayfly
