// The headers that tunnels and listeners send: those of a credential, and those of --header.
#pragma once

#include "access/tunnel/tunnel.hpp"
#include "cli/session/session.hpp"

namespace mayfly::cli {

// The session has to outlive the result.
Authorization credential_source(Session& session, const Url& url);

// Returns the headers of these lines "Name: value", and the header of a destination unless it is
// empty. Throws usage Error for a header that cannot be sent, which a listener would otherwise meet
// at its first connection.
Headers checked_headers(const Url& url, const std::vector<std::string>& lines,
                        const std::string& destination = "");

}  // namespace mayfly::cli
