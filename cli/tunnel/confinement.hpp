// What a running tunnel, or a listener, gives up (access/system/sandbox.hpp).
#pragma once

#include "access/listen/listener.hpp"
#include "cli/flags/network_flags.hpp"

namespace mayfly::cli {

// A kernel that cannot confine, a sanitizer or valgrind, and MAYFLY_SANDBOX=off are no errors; the
// log says so.

// For a tunnel on standard input and output that has come about: from now on this process moves
// bytes and can do nothing else.
void confine_running_tunnel();

// Once all of the addresses accept, the process opens only the files that the flags are about and
// what names are looked up with, connects, and starts nothing. To be called when `options.ready`
// and `options.addresses` are what they will be.
void confine_when_ready(ListenOptions& options, const NetworkFlags& flags);

}  // namespace mayfly::cli
