// A tunnel that carries standard input and output, as in `mayfly ssh`.
#pragma once

#include <chrono>
#include <functional>

#include "access/dial/tunnel_options.hpp"
#include "access/pump/traffic.hpp"

namespace mayfly {

// Opens a tunnel and blocks until it ends. Throws Error if no tunnel could be opened; for a refused
// upgrade see refusal.hpp. opened: called once the tunnel is open; from then on only bytes are
// moved between descriptors that are open already. waiting: called about once a second during a
// dial with its duration so far, and with 0 when the dial ends.
Ending run_stdio_tunnel(
    const TunnelOptions& options, const Authorization& authorization,
    const std::function<void()>& opened = [] {},
    const std::function<void(std::chrono::seconds)>& waiting = {});

}  // namespace mayfly
