// What time it is for a server whose certificate is not valid now, by our clock.
#pragma once

#include "access/core/url.hpp"
#include "access/transport/tls/connection_options.hpp"

namespace mayfly {

// Asks whoever answers there, without proof and without any credentials, so that an error can say
// whose clock is wrong (edge_clock.hpp); for nothing else. Once in a process; takes up to three
// seconds. What fails is left unknown.
void ask_unverified_time(const ConnectionOptions& options, const Url& url) noexcept;

}  // namespace mayfly
