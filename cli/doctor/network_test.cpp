#include "cli/doctor/network.hpp"

#include <doctest/doctest.h>
#include <netdb.h>

#include <cerrno>

using namespace mayfly;
using namespace mayfly::cli::doctor;
using namespace std::chrono_literals;
using State = CheckResult::State;

namespace {

const Url vm{.host = "vm.example.com", .path = "", .query = ""};

ProbedName found(std::vector<std::string> ipv4, std::vector<std::string> ipv6) {
  return {.host = vm.host, .port = 443, .ipv4 = std::move(ipv4), .ipv6 = std::move(ipv6)};
}

ProbedFamily family(std::string_view name, std::vector<std::string> addresses, int error = 0) {
  return {name, std::move(addresses), error};
}

std::chrono::sys_seconds at(long long time) {
  return std::chrono::sys_seconds(std::chrono::seconds(time));
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("doctor: names") {
  const CheckResult both = judge_name(vm, found({"192.0.2.1"}, {"2001:db8::1"}));
  CHECK(both.state == State::ok);
  CHECK(both.detail == "192.0.2.1, 2001:db8::1");

  ProbedName unknown = found({}, {});
  unknown.failure = EAI_NONAME;
  const CheckResult missing = judge_name(vm, unknown);
  CHECK(missing.state == State::failed);
  CHECK(missing.kind == ErrorKind::network);
  CHECK(holds(missing.detail, "the name vm.example.com is not known"));
  CHECK(holds(missing.hint, "spelling"));

  unknown.failure = EAI_AGAIN;
  CHECK(holds(judge_name(vm, unknown).hint, "DNS settings"));
  unknown.failure = 0;
  unknown.timed_out = true;
  CHECK(holds(judge_name(vm, unknown).detail, "no answer in time"));

  ProbedName led = found({"127.0.0.1"}, {});
  led.host = "127.0.0.1";
  led.port = 8443;
  led.source = ProbedName::Source::given;
  CHECK(holds(judge_name(vm, led).detail, "127.0.0.1 port 8443"));
  CHECK(holds(judge_name(vm, led).detail, "MAYFLY_CONNECT_TO"));
}

TEST_CASE("doctor: IPv4 and IPv6") {
  const auto v4 = [](int error) { return family("IPv4", {"192.0.2.1"}, error); };
  const auto v6 = [](int error) { return family("IPv6", {"2001:db8::1"}, error); };
  const auto none = family("IPv6", {});

  CHECK(judge_family(v4(0), none, 443).state == State::ok);
  CHECK(judge_family(v4(0), none, 443).detail == "192.0.2.1 port 443");
  CHECK(judge_family(none, v4(0), 443).state == State::not_needed);

  // No route where the other family works is how many networks are.
  const CheckResult no_route = judge_family(v6(ENETUNREACH), v4(0), 443);
  CHECK(no_route.state == State::not_needed);
  CHECK(holds(no_route.detail, "no route to IPv6"));
  CHECK(judge_family(v4(EHOSTUNREACH), v6(0), 443).state == State::not_needed);

  // A port that refuses is another thing.
  const CheckResult refused = judge_family(v6(ECONNREFUSED), v4(0), 443);
  CHECK(refused.state == State::warning);
  CHECK(holds(refused.detail, "connection refused"));

  // Without another way it is a failure.
  CHECK(judge_family(v4(ECONNREFUSED), none, 443).state == State::failed);
  CHECK(judge_family(v4(ECONNREFUSED), none, 443).kind == ErrorKind::network);
  const CheckResult alone = judge_family(v6(ENETUNREACH), family("IPv4", {}), 443);
  CHECK(alone.state == State::failed);
  CHECK(holds(alone.hint, "IPv6 route"));
  CHECK(judge_family(v6(ENETUNREACH), v4(ETIMEDOUT), 443).state == State::failed);
  CHECK(holds(judge_family(v4(ETIMEDOUT), none, 443).detail, "timed out"));
}

TEST_CASE("doctor: TLS") {
  ProbedTls tls{.failure = std::nullopt, .version = "TLSv1.3"};
  tls.server = CertificateFacts{.subject = "CN=vm",
                                .issuer = "CN=Some CA",
                                .common_name = "vm",
                                .names = {"vm.example.com"},
                                .not_before = at(0),
                                .not_after = at(1'700'000'000)};
  const CheckResult fine = judge_tls(tls, at(1'700'000'000 - 30 * 86400));
  CHECK(fine.state == State::ok);
  // date -u -d @1700000000
  CHECK(fine.detail == "TLSv1.3, issued by \"CN=Some CA\", valid until 2023-11-14 22:13 UTC");
  tls.group = "x25519";
  CHECK(holds(judge_tls(tls, at(0)).detail, "TLSv1.3, key exchange x25519 (not post-quantum), "));
  tls.group = "X25519MLKEM768";
  CHECK(holds(judge_tls(tls, at(0)).detail, "key exchange X25519MLKEM768 (post-quantum), "));
  const CheckResult soon = judge_tls(tls, at(1'700'000'000 - 2 * 86400));
  CHECK(soon.state == State::warning);
  CHECK(holds(soon.detail, "in 2 d"));

  tls.failure = Error(ErrorKind::network, "cannot trust vm", "name it");
  CHECK(judge_tls(tls, at(0)).state == State::failed);
  CHECK(judge_tls(tls, at(0)).hint == "name it");
}

TEST_CASE("doctor: clocks") {
  const auto judged = [](std::chrono::milliseconds offset) {
    const auto edge = at(1'700'000'000);
    const auto asked = std::chrono::system_clock::time_point(edge) + 500ms + offset - 100ms;
    return judge_clock(
        {.date = edge, .asked = asked, .answered = asked + 200ms, .server = "vm.example.com"});
  };
  CHECK(judged(0s).state == State::ok);
  CHECK(judged(0s).detail == "agrees with that of vm.example.com to 0 s");
  CHECK(judged(-29s).state == State::ok);

  const CheckResult ahead = judged(3min);
  CHECK(ahead.state == State::warning);
  CHECK(holds(ahead.detail, "3 min ahead of that of vm.example.com"));
  CHECK(holds(ahead.detail, "ended before they have"));
  CHECK(holds(ahead.hint, "compare this computer's clock with another source"));

  const CheckResult behind = judged(-2h);
  CHECK(behind.state == State::failed);
  CHECK(holds(behind.detail, "2 h behind that of vm.example.com"));
  CHECK(holds(behind.detail, "from the future"));
  CHECK(judged(2h).state == State::failed);

  CHECK(judge_clock({.date = std::nullopt, .asked = {}, .answered = {}, .server = "a"}).state ==
        State::skipped);

  // date -u -d @1700000000
  const CheckResult doubted = judge_doubted_clock({"a.example", "b.example"}, at(1'700'000'000));
  CHECK(doubted.state == State::failed);
  CHECK(holds(doubted.detail, "2023-11-14 22:13 UTC"));
  CHECK(holds(doubted.detail, "the certificates of a.example, b.example are not valid"));
  CHECK(holds(doubted.hint, "compare this computer's clock with another source"));
}
