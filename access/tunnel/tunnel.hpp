// A tunnel: WebSocket over TLS to an application, and the bytes of one local connection through it.
#pragma once

#include <chrono>
#include <functional>

#include "access/dial/tunnel_options.hpp"
#include "access/pump/ending.hpp"

namespace mayfly {

// The product of `mayfly access ssh`: stdin and stdout are the wire. Blocks until the end. Throws
// Error when no tunnel came about (see refusal.hpp for what a refused upgrade means). opened:
// called when it has come about; all that happens from then on is bytes moving between descriptors
// that are open. waiting: called about once a second while the edge is waited for, with how long
// that has been, and with 0 when it is over.
Ending run_stdio_tunnel(
    const TunnelOptions& options, const Authorization& authorization,
    const std::function<void()>& opened = [] {},
    const std::function<void(std::chrono::seconds)>& waiting = {});

}  // namespace mayfly
