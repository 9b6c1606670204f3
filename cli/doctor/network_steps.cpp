
#include "access/core/edge_clock.hpp"
#include "access/dial/proxy.hpp"
#include "cli/doctor/network_findings.hpp"
#include "cli/doctor/steps.hpp"
#include "cli/session.hpp"

namespace mayfly::cli::doctor {
namespace {

ProbedFamily ipv4_of(Case& the_case) {
  return {"IPv4", the_case.name->ipv4, the_case.ipv4_error.value_or(0)};
}

ProbedFamily ipv6_of(Case& the_case) {
  return {"IPv6", the_case.name->ipv6, the_case.ipv6_error.value_or(0)};
}

// Once for each family: of the other one it is asked, too.
void probe(Case& the_case, const std::vector<std::string>& addresses, std::optional<int>& error) {
  if (error || addresses.empty()) return;
  error =
      probe_addresses(addresses, the_case.name->port, the_case.tunnel.connection.connect_timeout);
}

bool has_no_address(const Case& the_case) {
  return !the_case.name || (the_case.name->ipv4.empty() && the_case.name->ipv6.empty());
}

bool is_reached(const Case& the_case) {
  if (the_case.goes_by_proxy) return the_case.proxy_works;
  return the_case.ipv4_error == 0 || the_case.ipv6_error == 0;
}

// The server is verified as every other is. Throws Error(network) when it cannot be asked.
ProbedClock ask_time(Case& the_case, const Url& url) {
  const Request request{.method = Request::Method::head, .url = url, .headers = {}, .body = {}};
  ProbedClock clock{.date = std::nullopt,
                    .asked = std::chrono::system_clock::now(),
                    .answered = {},
                    .server = url.host};
  clock.date = the_case.send(request).date();
  clock.answered = std::chrono::system_clock::now();
  return clock;
}

// A server whose certificate is not valid by our clock is not asked for the time: it could name
// any. The transfer service, which every login asks as well, proves who it is.
void ask_time_elsewhere(Case& the_case) {
  TunnelOptions way = the_case.tunnel;
  way.url = the_case.transfer_service;
  try {
    const ProbedTls tls = TunnelProbe(way).shake_hands();
    the_case.is_clock_doubted_twice = tls.has_wrong_dates;
    if (!tls.failure) the_case.clock = ask_time(the_case, way.url);
  } catch (const Error&) {
    // That check_clock() has nothing to compare with is all that follows.
  }
}

}  // namespace

Finding check_proxy(Case& the_case) {
  const ConnectionOptions& connection = the_case.tunnel.connection;
  const ProxyChoice proxy = proxy_choice(connection);
  if (proxy.url.empty()) return not_needed("none is named");
  if (is_exempt_from_proxy(connection, the_case.url))
    return not_needed(shown_proxy(proxy.url) + " is not for this host (NO_PROXY)");
  the_case.goes_by_proxy = true;
  try {
    the_case.probe().connect();
  } catch (const Error& error) {
    return failed({error.kind(), judge_proxy(proxy).detail + ": " + error.message(), error.hint()});
  }
  the_case.proxy_works = true;
  return judge_proxy(proxy);
}

Finding check_dns(Case& the_case) {
  if (the_case.goes_by_proxy) return not_needed("the proxy looks the name up");
  the_case.name = probe_name(the_case.tunnel.connection, the_case.url);
  return judge_name(the_case.url, *the_case.name);
}

Finding check_tcp_ipv4(Case& the_case) {
  if (the_case.goes_by_proxy) return not_needed("the proxy connects");
  if (has_no_address(the_case)) return skipped("no address is known");
  probe(the_case, the_case.name->ipv4, the_case.ipv4_error);
  if (the_case.ipv4_error.value_or(0) != 0)
    probe(the_case, the_case.name->ipv6, the_case.ipv6_error);
  return judge_family(ipv4_of(the_case), ipv6_of(the_case), the_case.name->port);
}

Finding check_tcp_ipv6(Case& the_case) {
  if (the_case.goes_by_proxy) return not_needed("the proxy connects");
  if (has_no_address(the_case)) return skipped("no address is known");
  probe(the_case, the_case.name->ipv6, the_case.ipv6_error);
  return judge_family(ipv6_of(the_case), ipv4_of(the_case), the_case.name->port);
}

Finding check_tls(Case& the_case) {
  if (!is_reached(the_case)) return skipped("there is no connection");
  the_case.tls = the_case.probe().shake_hands();
  if (the_case.tls->has_wrong_dates) {
    ask_time_elsewhere(the_case);
    // Its error tells whose clock is wrong, now that the time is known; if it is not, the error
    // must not send the person here.
    if (the_case.clock)
      the_case.tls = the_case.probe().shake_hands();
    else
      the_case.tls->failure =
          Error(ErrorKind::network, the_case.tls->failure->message(), clock_hint(""));
  }
  return judge_tls(*the_case.tls, now());
}

Finding check_clock(Case& the_case) {
  if (the_case.is_clock_doubted_twice)
    return judge_doubted_clock({the_case.url.host, the_case.transfer_service.host}, now());
  if (!the_case.has_trusted_connection() && !the_case.clock)
    return skipped("there is no trusted connection");
  try {
    if (!the_case.clock) the_case.clock = ask_time(the_case, the_case.url);
  } catch (const Error& error) {
    return skipped(error.message());
  }
  return judge_clock(*the_case.clock);
}

}  // namespace mayfly::cli::doctor
