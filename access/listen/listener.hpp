// Listeners: each connection to a local address gets a tunnel of its own.
#pragma once

#include <functional>
#include <vector>

#include "access/core/error.hpp"
#include "access/dial/tunnel_options.hpp"
#include "access/listen/listen_address.hpp"
#include "access/pump/traffic.hpp"

namespace mayfly {

// The options of every listener, that of `mayfly http` included.
struct ListenOptions {
  std::vector<ListenAddress> addresses;
  // Called for each address once it accepts connections, with the port that was chosen for port 0.
  std::function<void(const ListenAddress&)> ready = [](const ListenAddress&) {};
  // Called with the error of each connection that could not be served.
  std::function<void(const Error&)> failed = [](const Error&) {};
};

struct ListenerOptions : ListenOptions {
  TunnelOptions tunnel;
  // Called when a tunnel has ended.
  std::function<void(const Ending&)> ended = [](const Ending&) {};
};

// Serves connections, in one thread, until SIGTERM, SIGINT or SIGHUP. Then closes every tunnel with
// 1001 and returns within 2 s. Throws Error if it cannot listen on an address.
void run_listener(const ListenerOptions& options, const Authorization& authorization);

// The same for a bastion application: each connection names its destination by SOCKS5 (RFC 1928).
void run_socks_listener(const ListenerOptions& options, const Authorization& authorization);

}  // namespace mayfly
