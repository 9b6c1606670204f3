// The first steps of a direct connection, one at a time: which addresses, and whether they answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "access/core/url.hpp"
#include "access/tls/connection_options.hpp"

namespace mayfly {

// Where a connection would go.
struct ProbedName {
  std::string host;  // after connect_to
  std::uint16_t port = 0;
  enum class Source {
    name_service,
    given
  } source = Source::name_service;  // given: nobody was asked
  std::vector<std::string> ipv4 = {}, ipv6 = {};
  int failure = 0;  // EAI_... of getaddrinfo
  bool timed_out = false;
};

// Blocks for options.connect_timeout at most. Throws Error(failed) at a signal.
ProbedName probe_name(const ConnectionOptions& options, const Url& url);

// Connects to the first address that answers, and hangs up. The errno of the last failure,
// ETIMEDOUT when patience ends; 0 when there was a connection. Throws Error(failed) at a signal.
int probe_addresses(const std::vector<std::string>& addresses, std::uint16_t port,
                    std::chrono::milliseconds patience);

}  // namespace mayfly
