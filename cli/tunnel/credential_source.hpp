// The headers that tunnels and listeners send: those of a credential, and those of --header.
#pragma once

#include "access/tunnel/tunnel.hpp"
#include "cli/session/session.hpp"

namespace mayfly::cli {

// The session has to outlive the result.
Authorization credential_source(Session& session, const Url& url);

// Returns never if the user's headers have an Authorization of their own, which a token of Managed
// OAuth would take the place of.
SessionOptions::Oauth oauth_beside(const Headers& user_headers);

// Returns the headers of these lines "Name: value", and the header of a destination unless it is
// empty. Throws usage Error for a header that cannot be sent, which a listener would otherwise meet
// at its first connection, and for one that repeats the service token of `identity`.
Headers checked_headers(const Url& url, const std::vector<std::string>& lines,
                        const IdentityFlags& identity, const std::string& destination = "");

}  // namespace mayfly::cli
