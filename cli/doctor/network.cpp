#include "cli/doctor/network.hpp"

#include <fmt/core.h>
#include <netdb.h>

#include <cerrno>

#include "access/core/clock.hpp"
#include "access/core/edge_clock.hpp"
#include "access/core/loopback_name.hpp"
#include "access/core/text.hpp"
#include "access/dial/proxy.hpp"
#include "access/tls/connection_error.hpp"
#include "access/tls/key_exchange.hpp"
#include "cli/doctor/diagnosis.hpp"
#include "cli/session/session.hpp"
#include "cli/terminal/time_text.hpp"

namespace mayfly::cli::doctor {
namespace {

using std::chrono::seconds;
using namespace std::chrono_literals;

constexpr auto certificate_ends_soon = std::chrono::hours(24 * 7);
// One server may be wrong, so the hint names another source.
constexpr const char* set_by_ntp =
    "compare this computer's clock with another source, and set it if it is wrong, best by NTP "
    "(timedatectl set-ntp true)";
constexpr auto clock_agrees = 30s;
// The tolerance for the time at which metadata was issued (docs/protocol.md section 1).
constexpr auto clock_too_far = 5min;

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

std::string addresses_text(const std::vector<std::string>& addresses, std::uint16_t port) {
  return fmt::format("{} port {}", joined(addresses), port);
}

bool is_without_route(int error) {
  return error == ENETUNREACH || error == EHOSTUNREACH || error == EADDRNOTAVAIL ||
         error == EAFNOSUPPORT;
}

CheckResult judge_unknown_name(const Url& url, const ProbedName& name) {
  const std::string hint = "check the network connection and the DNS settings";
  const auto cannot = [&](std::string_view why) {
    return failed({ErrorKind::network, fmt::format("cannot look up {}: {}", name.host, why), hint});
  };
  if (name.timed_out) return cannot("no answer in time");
  if (name.failure == EAI_NONAME) return failed(unknown_name_error(url.authority(), name.host));
  return cannot(name.failure == 0 ? "no address came" : gai_strerror(name.failure));
}

std::string ahead_or_behind(seconds offset) {
  return fmt::format("{} {}", duration_text(seconds(std::abs(offset.count()))),
                     offset.count() > 0 ? "ahead of" : "behind");
}

std::string what_it_breaks(seconds offset) {
  if (offset.count() > 0)
    return "tokens and short-lived certificates seem to have ended before they have";
  return "what Access signs seems to come from the future, and is refused";
}

std::string key_exchange_text(const std::string& group) {
  if (group.empty()) return "";
  return fmt::format(", key exchange {} ({}post-quantum)", group,
                     is_post_quantum(group) ? "" : "not ");
}

ProbedFamily ipv4_of(Diagnosis& diagnosis) {
  return {"IPv4", diagnosis.name->ipv4, diagnosis.ipv4_error.value_or(0)};
}

ProbedFamily ipv6_of(Diagnosis& diagnosis) {
  return {"IPv6", diagnosis.name->ipv6, diagnosis.ipv6_error.value_or(0)};
}

// Probes a family once, since the check of the other family needs its result, too.
void probe(Diagnosis& diagnosis, const std::vector<std::string>& addresses,
           std::optional<int>& error) {
  if (error || addresses.empty()) return;
  error =
      probe_addresses(addresses, diagnosis.name->port, diagnosis.tunnel.connection.connect_timeout);
}

bool has_no_address(const Diagnosis& diagnosis) {
  return !diagnosis.name || (diagnosis.name->ipv4.empty() && diagnosis.name->ipv6.empty());
}

bool is_reached(const Diagnosis& diagnosis) {
  if (diagnosis.goes_by_proxy) return diagnosis.proxy_works;
  return diagnosis.ipv4_error == 0 || diagnosis.ipv6_error == 0;
}

// Verifies the server as in every request. Throws Error(network) without an answer.
ProbedClock ask_time(Diagnosis& diagnosis, const Url& url) {
  const Request request{.method = Request::Method::head, .url = url, .headers = {}, .body = {}};
  ProbedClock clock{.date = std::nullopt,
                    .asked = std::chrono::system_clock::now(),
                    .answered = {},
                    .server = url.host};
  clock.date = diagnosis.send(request).date();
  clock.answered = std::chrono::system_clock::now();
  return clock;
}

// Asks the transfer service for the time, since a server whose certificate is not valid by our
// clock could name any time.
void ask_time_elsewhere(Diagnosis& diagnosis) {
  TunnelOptions way = diagnosis.tunnel;
  way.url = diagnosis.transfer_service;
  try {
    const ProbedTls tls = TunnelProbe(way).shake_hands();
    diagnosis.is_clock_doubted_twice = tls.has_wrong_dates;
    if (!tls.failure) diagnosis.clock = ask_time(diagnosis, way.url);
  } catch (const Error&) {
    // Then check_clock() has nothing to compare with.
  }
}

}  // namespace

CheckResult judge_proxy(const ProxyChoice& proxy) {
  return well(fmt::format("{}, named by {}", shown_proxy(proxy.url), proxy.named_by));
}

CheckResult judge_name(const Url& url, const ProbedName& name) {
  std::vector<std::string> all = name.ipv4;
  all.insert(all.end(), name.ipv6.begin(), name.ipv6.end());
  if (all.empty()) return judge_unknown_name(url, name);
  if (name.host != url.host || name.port != url.port)
    return well(fmt::format("{}, where connections to {} are led (MAYFLY_CONNECT_TO)",
                            addresses_text(all, name.port), url.authority()));
  if (is_loopback_name(name.host)) return not_needed("it means this computer (RFC 6761)");
  if (name.source == ProbedName::Source::given) return not_needed(joined(all) + " is an address");
  return well(joined(all));
}

CheckResult judge_family(const ProbedFamily& own, const ProbedFamily& other, std::uint16_t port) {
  if (own.addresses.empty())
    return not_needed(fmt::format("the name has no {} address", own.family));
  const std::string where = addresses_text(own.addresses, port);
  if (own.error == 0) return well(where);
  const Error error = connect_error(where, own.error, {.otherwise = ""});
  if (!other.works()) return failed(error);
  if (is_without_route(own.error))
    return not_needed(
        fmt::format("no route to {} from here, but {} works", own.family, other.family));
  return warning(fmt::format("{}; {} works", error.message(), other.family), error.hint());
}

CheckResult judge_tls(const ProbedTls& tls, std::chrono::sys_seconds now) {
  if (tls.failure) return failed(*tls.failure);
  const std::string way = tls.version + key_exchange_text(tls.group);
  if (!tls.server) return well(way);
  const CertificateFacts& facts = *tls.server;
  const std::string detail = fmt::format("{}, issued by \"{}\", valid until {}", way, facts.issuer,
                                         utc_text(facts.not_after));
  if (facts.not_after - now > certificate_ends_soon) return well(detail);
  return warning(fmt::format("{}, in {}", detail, duration_text(facts.not_after - now)),
                 "whoever runs that server should renew its certificate soon");
}

CheckResult judge_doubted_clock(const std::vector<std::string>& servers,
                                std::chrono::sys_seconds now) {
  return failed(fmt::format("it says {}, when the certificates of {} are not valid: either it is "
                            "wrong, or somebody in between shows old certificates",
                            utc_text(now), joined(servers)),
                set_by_ntp);
}

CheckResult judge_clock(const ProbedClock& clock) {
  if (!clock.date) return skipped("the server's answer has no date to compare with");
  // The header has whole seconds, and was written between the request and the answer.
  const auto ours = clock.asked + (clock.answered - clock.asked) / 2;
  const seconds offset = std::chrono::round<seconds>(ours - (*clock.date + 500ms));
  const seconds size(std::abs(offset.count()));
  const std::string whose = fmt::format("that of {}", clock.server);
  if (size <= clock_agrees) return well(fmt::format("agrees with {} to {} s", whose, size.count()));
  const std::string detail =
      fmt::format("{} {}: {}", ahead_or_behind(offset), whose, what_it_breaks(offset));
  const std::string hint = set_by_ntp;
  return size > clock_too_far ? failed(detail, hint) : warning(detail, hint);
}

CheckResult check_proxy(Diagnosis& diagnosis) {
  const ConnectionOptions& connection = diagnosis.tunnel.connection;
  const ProxyChoice proxy = proxy_choice(connection);
  if (proxy.url.empty()) return not_needed("none is named");
  if (is_exempt_from_proxy(connection, diagnosis.url))
    return not_needed(shown_proxy(proxy.url) + " is not for this host (NO_PROXY)");
  diagnosis.goes_by_proxy = true;
  try {
    diagnosis.probe().connect();
  } catch (const Error& error) {
    return failed({error.kind(), judge_proxy(proxy).detail + ": " + error.message(), error.hint()});
  }
  diagnosis.proxy_works = true;
  return judge_proxy(proxy);
}

CheckResult check_dns(Diagnosis& diagnosis) {
  if (diagnosis.goes_by_proxy) return not_needed("the proxy looks the name up");
  diagnosis.name = probe_name(diagnosis.tunnel.connection, diagnosis.url);
  return judge_name(diagnosis.url, *diagnosis.name);
}

CheckResult check_tcp_ipv4(Diagnosis& diagnosis) {
  if (diagnosis.goes_by_proxy) return not_needed("the proxy connects");
  if (has_no_address(diagnosis)) return skipped("no address is known");
  probe(diagnosis, diagnosis.name->ipv4, diagnosis.ipv4_error);
  if (diagnosis.ipv4_error.value_or(0) != 0)
    probe(diagnosis, diagnosis.name->ipv6, diagnosis.ipv6_error);
  return judge_family(ipv4_of(diagnosis), ipv6_of(diagnosis), diagnosis.name->port);
}

CheckResult check_tcp_ipv6(Diagnosis& diagnosis) {
  if (diagnosis.goes_by_proxy) return not_needed("the proxy connects");
  if (has_no_address(diagnosis)) return skipped("no address is known");
  probe(diagnosis, diagnosis.name->ipv6, diagnosis.ipv6_error);
  return judge_family(ipv6_of(diagnosis), ipv4_of(diagnosis), diagnosis.name->port);
}

CheckResult check_tls(Diagnosis& diagnosis) {
  if (!is_reached(diagnosis)) return skipped("there is no connection");
  diagnosis.tls = diagnosis.probe().shake_hands();
  if (diagnosis.tls->has_wrong_dates) {
    ask_time_elsewhere(diagnosis);
    // With a known time the error says which clock is wrong. Without it, the hint must not name
    // doctor.
    if (diagnosis.clock)
      diagnosis.tls = diagnosis.probe().shake_hands();
    else
      diagnosis.tls->failure =
          Error(ErrorKind::network, diagnosis.tls->failure->message(), clock_hint(""));
  }
  return judge_tls(*diagnosis.tls, now());
}

CheckResult check_clock(Diagnosis& diagnosis) {
  if (diagnosis.is_clock_doubted_twice)
    return judge_doubted_clock({diagnosis.url.host, diagnosis.transfer_service.host}, now());
  if (!diagnosis.has_trusted_connection() && !diagnosis.clock)
    return skipped("there is no trusted connection");
  try {
    if (!diagnosis.clock) diagnosis.clock = ask_time(diagnosis, diagnosis.url);
  } catch (const Error& error) {
    return skipped(error.message());
  }
  return judge_clock(*diagnosis.clock);
}

}  // namespace mayfly::cli::doctor
