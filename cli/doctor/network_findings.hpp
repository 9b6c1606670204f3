// What the steps of a connection say: name, addresses, TLS, clock.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/core/url.hpp"
#include "access/dial/address_probe.hpp"
#include "access/dial/proxy.hpp"
#include "access/tunnel/tunnel_probe.hpp"
#include "cli/doctor/finding.hpp"

namespace mayfly::cli::doctor {

// A proxy that was reached, and took a connection to the application.
Finding judge_proxy(const ProxyChoice& proxy);

Finding judge_name(const Url& url, const ProbedName& name);

// The addresses of one family, and what came of connecting to them.
struct ProbedFamily {
  std::string_view family;  // "IPv4"
  std::vector<std::string> addresses;
  int error = 0;  // errno; 0 when there was a connection, or no address
  bool works() const { return !addresses.empty() && error == 0; }
};
// One that fails matters only when the other does not work either.
Finding judge_family(const ProbedFamily& own, const ProbedFamily& other, std::uint16_t port);

Finding judge_tls(const ProbedTls& tls, std::chrono::sys_seconds now);

// date: what the server's clock said at a time of ours between the two others.
struct ProbedClock {
  std::optional<std::chrono::sys_seconds> date;
  std::chrono::system_clock::time_point asked, answered;
  std::string server;  // the name of that server, whose certificate was verified
};
Finding judge_clock(const ProbedClock& clock);
// The certificates of these servers are not valid by this computer's clock.
Finding judge_doubted_clock(const std::vector<std::string>& servers, std::chrono::sys_seconds now);

}  // namespace mayfly::cli::doctor
