// Counters of everything that happened.
#pragma once

#include <cstdint>

namespace edge {

struct Stats {
  std::uint64_t tls_connections = 0, tls_handshakes = 0, tls_resumed = 0, tls_failed = 0;
  std::uint64_t requests = 0, metadata = 0, jwks = 0, logins = 0, exchanges = 0, token_checks = 0;
  std::uint64_t service_logins = 0, certificate_logins = 0, polls = 0, transfers = 0;
  std::uint64_t signatures = 0, upgrades = 0, tunnels = 0, bytes_in = 0, bytes_out = 0;
  std::uint64_t open_connections = 0, open_tunnels = 0;  // these are never reset
};

}  // namespace edge
