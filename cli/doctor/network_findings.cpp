#include "cli/doctor/network_findings.hpp"

#include <fmt/core.h>
#include <netdb.h>

#include <cerrno>

#include "access/core/clock.hpp"
#include "access/core/text.hpp"
#include "access/tls/connection_error.hpp"
#include "cli/terminal/time_text.hpp"

namespace mayfly::cli::doctor {
namespace {

using std::chrono::seconds;
using namespace std::chrono_literals;

constexpr auto certificate_ends_soon = std::chrono::hours(24 * 7);
// A server's word alone is no reason to set a clock.
constexpr const char* set_by_ntp =
    "compare this computer's clock with another source, and set it if it is wrong, best by NTP "
    "(timedatectl set-ntp true)";
constexpr auto clock_agrees = 30s;
// docs/protocol.md section 1: how far ahead the application's metadata may have been issued.
constexpr auto clock_too_far = 5min;

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

std::string place(const std::vector<std::string>& addresses, std::uint16_t port) {
  return fmt::format("{} port {}", joined(addresses), port);
}

bool is_without_route(int error) {
  return error == ENETUNREACH || error == EHOSTUNREACH || error == EADDRNOTAVAIL ||
         error == EAFNOSUPPORT;
}

Finding judge_unknown_name(const Url& url, const ProbedName& name) {
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

// What Access and ssh make of a clock that is this far off.
std::string what_it_breaks(seconds offset) {
  if (offset.count() > 0)
    return "tokens and short-lived certificates seem to have ended before they have";
  return "what Access signs seems to come from the future, and is refused";
}

}  // namespace

Finding judge_proxy(const ProxyChoice& proxy) {
  return well(fmt::format("{}, named by {}", shown_proxy(proxy.url), proxy.named_by));
}

Finding judge_name(const Url& url, const ProbedName& name) {
  std::vector<std::string> all = name.ipv4;
  all.insert(all.end(), name.ipv6.begin(), name.ipv6.end());
  if (all.empty()) return judge_unknown_name(url, name);
  if (name.host != url.host || name.port != url.port)
    return well(fmt::format("{}, where connections to {} are led (MAYFLY_CONNECT_TO)",
                            place(all, name.port), url.authority()));
  if (name.source == ProbedName::Source::given) return not_needed(joined(all) + " is an address");
  return well(joined(all));
}

Finding judge_family(const ProbedFamily& own, const ProbedFamily& other, std::uint16_t port) {
  if (own.addresses.empty())
    return not_needed(fmt::format("the name has no {} address", own.family));
  const std::string where = place(own.addresses, port);
  if (own.error == 0) return well(where);
  const Error error = connect_error(where, own.error, {.otherwise = ""});
  if (!other.works()) return failed(error);
  if (is_without_route(own.error))
    return not_needed(
        fmt::format("no route to {} from here, but {} works", own.family, other.family));
  return warning(fmt::format("{}; {} works", error.message(), other.family), error.hint());
}

Finding judge_tls(const ProbedTls& tls, std::chrono::sys_seconds now) {
  if (tls.failure) return failed(*tls.failure);
  if (!tls.server) return well(tls.version);
  const CertificateFacts& facts = *tls.server;
  const std::string detail = fmt::format("{}, issued by \"{}\", valid until {}", tls.version,
                                         facts.issuer, utc_text(facts.not_after));
  if (facts.not_after - now > certificate_ends_soon) return well(detail);
  return warning(fmt::format("{}, in {}", detail, duration_text(facts.not_after - now)),
                 "whoever runs that server should renew its certificate soon");
}

Finding judge_doubted_clock(const std::vector<std::string>& servers, std::chrono::sys_seconds now) {
  return failed({ErrorKind::failed,
                 fmt::format("it says {}, when the certificates of {} are not valid: either it is "
                             "wrong, or somebody in between shows old certificates",
                             utc_text(now), joined(servers)),
                 set_by_ntp});
}

Finding judge_clock(const ProbedClock& clock) {
  if (!clock.date) return skipped("the server's answer has no date to compare with");
  // The header has whole seconds, and was written somewhere between the question and the answer.
  const auto ours = clock.asked + (clock.answered - clock.asked) / 2;
  const seconds offset = std::chrono::round<seconds>(ours - (*clock.date + 500ms));
  const seconds size(std::abs(offset.count()));
  const std::string whose = fmt::format("that of {}", clock.server);
  if (size <= clock_agrees) return well(fmt::format("agrees with {} to {} s", whose, size.count()));
  const std::string detail =
      fmt::format("{} {}: {}", ahead_or_behind(offset), whose, what_it_breaks(offset));
  const std::string hint = set_by_ntp;
  return size > clock_too_far ? failed({ErrorKind::failed, detail, hint}) : warning(detail, hint);
}

}  // namespace mayfly::cli::doctor
