// The results of the checks of a connection: proxy, name, addresses, TLS, clock.
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
#include "cli/doctor/check.hpp"

namespace mayfly::cli::doctor {

// Judges a proxy that has connected to the application.
CheckResult judge_proxy(const ProxyChoice& proxy);

CheckResult judge_name(const Url& url, const ProbedName& name);

// The addresses of one family, and the result of connecting to them.
struct ProbedFamily {
  std::string_view family;  // "IPv4"
  std::vector<std::string> addresses;
  int error = 0;  // errno; 0 for a connection, or without addresses
  bool works() const { return !addresses.empty() && error == 0; }
};
// A family may fail if the other one works.
CheckResult judge_family(const ProbedFamily& own, const ProbedFamily& other, std::uint16_t port);

CheckResult judge_tls(const ProbedTls& tls, std::chrono::sys_seconds now);

// The server's clock said `date` at a time between `asked` and `answered` of ours.
struct ProbedClock {
  std::optional<std::chrono::sys_seconds> date;
  std::chrono::system_clock::time_point asked, answered;
  std::string server;  // its name, by which its certificate was verified
};
CheckResult judge_clock(const ProbedClock& clock);
// Judges that the certificates of these servers are not valid by this computer's clock.
CheckResult judge_doubted_clock(const std::vector<std::string>& servers,
                                std::chrono::sys_seconds now);

}  // namespace mayfly::cli::doctor
