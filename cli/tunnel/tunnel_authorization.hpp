// The headers that open an application, from a session's credentials.
#pragma once

#include "access/tunnel/tunnel.hpp"
#include "cli/session.hpp"

namespace mayfly::cli {

// The session has to outlive what comes back.
Authorization tunnel_authorization(Session& session, const Url& url);

}  // namespace mayfly::cli
