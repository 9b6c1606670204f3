// The first steps of a direct connection, one at a time, for doctor.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "access/core/url.hpp"
#include "access/tls/connection_options.hpp"

namespace mayfly {

// The addresses that a connection would try.
struct ProbedName {
  std::string host;  // after connect_to
  std::uint16_t port = 0;
  enum class Source {
    name_service,
    given  // by the user; no name service was asked
  } source = Source::name_service;
  std::vector<std::string> ipv4 = {}, ipv6 = {};
  int failure = 0;  // EAI_... of getaddrinfo
  bool timed_out = false;
};

// Finds the addresses of the URL's host. Blocks for options.connect_timeout at most. Throws
// Error(failed) at a signal.
ProbedName probe_name(const ConnectionOptions& options, const Url& url);

// Connects to the first address that answers, and hangs up. Returns 0, or the errno of the last
// failure, which is ETIMEDOUT if patience ends. Throws Error(failed) at a signal.
int probe_addresses(const std::vector<std::string>& addresses, std::uint16_t port,
                    std::chrono::milliseconds patience);

}  // namespace mayfly
