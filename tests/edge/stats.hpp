// Counters of everything that happened.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace edge {

// The traffic of one application at its own host names.
struct ApplicationTraffic {
  std::set<std::uint64_t> connections;
  std::uint64_t requests = 0, origin_requests = 0;
};

// The traffic of one host name: TLS connections by SNI, requests by Host.
struct HostTraffic {
  std::uint64_t connections = 0, requests = 0;
};

struct Stats {
  std::uint64_t tls_connections = 0, tls_handshakes = 0, tls_resumed = 0, tls_failed = 0;
  std::uint64_t requests = 0, metadata = 0, jwks = 0, logins = 0, exchanges = 0, token_checks = 0;
  std::uint64_t service_logins = 0, certificate_logins = 0, polls = 0, transfers = 0;
  std::uint64_t signatures = 0, upgrades = 0, tunnels = 0, bytes_in = 0, bytes_out = 0;
  std::uint64_t registrations = 0, code_exchanges = 0, refreshes = 0, revocations = 0;
  std::map<std::string, ApplicationTraffic> applications;
  std::map<std::string, HostTraffic> hosts;
  std::uint64_t open_connections = 0, open_tunnels = 0;  // these are never reset
};

}  // namespace edge
