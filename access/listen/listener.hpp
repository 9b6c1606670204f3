// Listeners: each connection to a local address gets a tunnel of its own.
#pragma once

#include <functional>
#include <vector>

#include "access/core/error.hpp"
#include "access/dial/tunnel_options.hpp"
#include "access/listen/listen_address.hpp"
#include "access/pump/ending.hpp"

namespace mayfly {

// What all that listens has in common.
struct ListenOptions {
  std::vector<ListenAddress> addresses;
  // Told each address when it accepts, with the port that was really taken.
  std::function<void(const ListenAddress&)> ready = [](const ListenAddress&) {};
  // Told the error that kept a connection from being served.
  std::function<void(const Error&)> failed = [](const Error&) {};
};

struct ListenerOptions : ListenOptions {
  TunnelOptions tunnel;
  // Told the end of each connection that had a tunnel.
  std::function<void(const Ending&)> ended = [](const Ending&) {};
};

// Blocks until SIGTERM, SIGINT or SIGHUP; then every tunnel is closed with 1001 and it returns
// within 2 s. One thread. Throws Error when an address cannot be listened on.
void run_listener(const ListenerOptions& options, const Authorization& authorization);

// The same for a bastion application: each connection names its destination by SOCKS5 (RFC 1928).
void run_socks_listener(const ListenerOptions& options, const Authorization& authorization);

}  // namespace mayfly
