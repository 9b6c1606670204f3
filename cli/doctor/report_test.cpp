#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "cli/doctor/check.hpp"

using namespace mayfly;
using namespace mayfly::cli::doctor;
using namespace std::chrono_literals;

namespace {

std::vector<Check> some_checks() {
  return {{"dns", well("192.0.2.1"), 12ms},
          {"tcp_ipv6", not_needed("the name has no IPv6 address"), 0ms},
          {"clock", warning("40 s ahead", "set it"), 5ms},
          {"tls", failed(Error(ErrorKind::network, "cannot trust x: expired", "renew it")), 1234ms},
          {"token", failed(Error(ErrorKind::login_needed, "none is stored", "run: login")), 1ms},
          {"upgrade", skipped("there is no token"), 0ms}};
}

}  // namespace

TEST_CASE("doctor: a check is a line, with a hint on another") {
  const auto checks = some_checks();
  CHECK(check_lines(checks[0], Paint::none) ==
        "ok          dns                     12 ms  192.0.2.1\n");
  CHECK(check_lines(checks[1], Paint::none) ==
        "not needed  tcp_ipv6                 0 ms  the name has no IPv6 address\n");
  CHECK(check_lines(checks[3], Paint::none) ==
        "failed      tls                   1234 ms  cannot trust x: expired\n"
        "            hint: renew it\n");
}

TEST_CASE("doctor: only the state is painted") {
  const auto checks = some_checks();
  CHECK(check_lines(checks[0], Paint::colors) ==
        "\x1b[32mok        \x1b[0m  dns                     12 ms  192.0.2.1\n");
  CHECK(check_lines(checks[2], Paint::colors).starts_with("\x1b[33mwarning   \x1b[0m"));
  CHECK(check_lines(checks[3], Paint::colors).starts_with("\x1b[31mfailed    \x1b[0m"));
}

TEST_CASE("doctor: the first failure is what is summed up, and the exit code") {
  auto checks = some_checks();
  CHECK(first_failure(checks) == &checks[3]);
  CHECK(summary_line("vm.example.com can be reached", checks, Paint::none) ==
        "broken: tls: cannot trust x: expired; renew it\n");
  CHECK(exit_code(checks) == 5);
  checks.erase(checks.begin() + 3);
  CHECK(exit_code(checks) == 3);
  checks.erase(checks.begin() + 3);
  CHECK(first_failure(checks) == nullptr);
  CHECK(exit_code(checks) == 0);
  CHECK(summary_line("vm.example.com can be reached", checks, Paint::none) ==
        "works: vm.example.com can be reached, with 1 warning\n");
  checks.erase(checks.begin() + 2);
  CHECK(summary_line("vm.example.com can be reached", checks, Paint::none) ==
        "all is well: vm.example.com can be reached\n");
}

TEST_CASE("doctor: JSON") {
  const auto json =
      nlohmann::json::parse(report_json({"hostname", "vm.example.com"}, some_checks()));
  CHECK(json["hostname"] == "vm.example.com");
  CHECK(json["ok"] == false);
  CHECK(json["first_failure"] == "tls");
  REQUIRE(json["checks"].size() == 6);
  CHECK(json["checks"][0] ==
        nlohmann::json{
            {"name", "dns"}, {"state", "ok"}, {"detail", "192.0.2.1"}, {"milliseconds", 12}});
  CHECK(json["checks"][1]["state"] == "not_needed");
  CHECK(json["checks"][3]["hint"] == "renew it");
  CHECK(json["checks"][5]["state"] == "skipped");
  const auto fine =
      nlohmann::json::parse(report_json({"hostname", "vm"}, {{"dns", well("x"), 1ms}}));
  CHECK(fine["ok"] == true);
  CHECK(fine["first_failure"].is_null());
}
