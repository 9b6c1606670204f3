#include "cli/tokens/status_report.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>

#include "access/core/clock.hpp"
#include "cli/session/session.hpp"
#include "cli/terminal/time_text.hpp"

using namespace mayfly;
using namespace mayfly::cli;
using namespace std::chrono_literals;
using std::chrono::sys_seconds;

namespace {

// `date -u -d @1763918520`
constexpr sys_seconds present{1763918520s};  // 2025-11-23T17:22:00Z

TokenFile app_token(const std::string& place, std::optional<std::chrono::seconds> left) {
  TokenFile token;
  token.name = place + "-aa-token";
  token.place = place;
  if (left) {
    token.claims.emplace();
    token.claims->audience = {"aa"};
    token.claims->email = "jdoe@example.com";
    token.claims->expires = present + *left;
  } else {
    token.objection = "/state/x holds no token";
  }
  return token;
}

TokenFile team_token() {
  TokenFile token = app_token("team.cloudflareaccess.com", 24h + 3h);
  token.kind = TokenFile::Kind::team;
  return token;
}

sshgen::KeptCertificate certificate(std::chrono::seconds after, std::chrono::seconds before) {
  sshgen::KeptCertificate kept{
      "vm.example.com", {}, "vm.example.com-cf_key-cert.pub", {}, "", false};
  kept.certificate.emplace();
  kept.certificate->principals = {"jdoe"};
  const auto seconds = [](sys_seconds time) {
    return static_cast<std::uint64_t>(time.time_since_epoch().count());
  };
  kept.certificate->valid_after = seconds(present + after);
  kept.certificate->valid_before = seconds(present + before);
  return kept;
}

StatusEntry only(const Inventory& inventory,
                 const std::vector<sshgen::KeptCertificate>& certificates = {}) {
  const auto entries = status_entries(inventory, certificates, present);
  REQUIRE(entries.size() == 1);
  return entries.front();
}

}  // namespace

TEST_CASE("status: a table of what there is") {
  Inventory inventory;
  inventory.tokens = {team_token(), app_token("web.example.com", 59min + 30s),
                      app_token("old.example.com", -1s), app_token("bad.example.com", {})};
  auto in_agent = certificate(-5min, 42s);
  in_agent.where = sshgen::KeptCertificate::Where::agent;
  const auto entries = status_entries(inventory, {certificate(-5min, 134min), in_agent}, present);
  CHECK(status_table(entries, present) ==
        "WHAT                 IDENTITY          OPENS                      ENDS IN\n"
        "app token            jdoe@example.com  web.example.com            59 min\n"
        "app token            jdoe@example.com  old.example.com            expired\n"
        "app token            -                 bad.example.com            malformed\n"
        "org token            jdoe@example.com  team.cloudflareaccess.com  1 d 3 h\n"
        "certificate          jdoe              vm.example.com             2 h 14 min\n"
        "certificate (agent)  jdoe              vm.example.com             42 s\n");
}

TEST_CASE("status: nothing raw in the table") {
  Inventory inventory;
  inventory.tokens = {app_token("web.example.com", 1h)};
  inventory.tokens[0].claims->email = "j\033[2J\u202e\nd\u00f6e@example.com";
  const auto table = status_table(status_entries(inventory, {}, present), present);
  CHECK(table.find('\033') == std::string::npos);
  CHECK(table.find("\u202e") == std::string::npos);
  CHECK(std::count(table.begin(), table.end(), '\n') == 2);
  CHECK(table.find("d\u00f6e@example.com  web.example.com") != std::string::npos);
}

TEST_CASE("status: what a token opens is told by what is remembered of its audience") {
  Inventory inventory;
  inventory.tokens = {app_token("-.example.com", 1h)};
  CHECK(only(inventory).opens == "*.example.com");
  inventory.applications = {{"vm.example.com-app",
                             "vm.example.com",
                             "vm.example.com",
                             {"team.cloudflareaccess.com", "aa", "*.example.com/admin"}}};
  CHECK(only(inventory).opens == "*.example.com/admin");
}

TEST_CASE("status: states of certificates") {
  using State = StatusEntry::State;
  CHECK(only({}, {certificate(-1h, 1s)}).state == State::valid);
  CHECK(only({}, {certificate(-1h, 0s)}).state == State::expired);
  CHECK(only({}, {certificate(1s, 1h)}).state == State::not_yet_valid);
  auto broken = certificate(-1h, 1h);
  broken.certificate.reset();
  broken.objection = "it is none";
  CHECK(only({}, {broken}).state == State::malformed);
  CHECK(only({}, {broken}).problem == "it is none");

  // OpenSSH's "forever" is the largest number there is.
  auto forever = certificate(-1h, 1h);
  forever.certificate->valid_before = ~std::uint64_t{0};
  const auto entry = only({}, {forever});
  CHECK(entry.state == State::valid);
  CHECK_FALSE(entry.expires);
  CHECK(status_table({entry}, present).ends_with("  never\n"));
}

TEST_CASE("status: as JSON, each member always there") {
  Inventory inventory;
  inventory.tokens = {app_token("web.example.com", 90s), app_token("bad.example.com", {})};
  const auto text =
      status_json({"/home/j\xff", status_entries(inventory, {}, present), {}}, present);
  CHECK(text.ends_with("}\n"));
  const auto json = nlohmann::json::parse(text);
  CHECK(json["directory"] == "/home/j\uFFFD");
  REQUIRE(json["entries"].size() == 2);
  CHECK(json["entries"][0] ==
        nlohmann::json::parse(R"({"kind":"app_token","state":"valid","identity":"jdoe@example.com",
      "opens":"web.example.com","expires":"2025-11-23T17:23:30Z","seconds_left":90,
      "place":"disk","file":"web.example.com-aa-token","problem":null})"));
  CHECK(json["entries"][1] ==
        nlohmann::json::parse(R"({"kind":"app_token","state":"malformed","identity":null,
      "opens":"bad.example.com","expires":null,"seconds_left":null,"place":"disk",
      "file":"bad.example.com-aa-token","problem":"/state/x holds no token"})"));
  CHECK(nlohmann::json::parse(status_json({"/x", {}, {}}, present))["entries"].empty());
}

TEST_CASE("times: durations") {
  CHECK(duration_text(0s) == "0 s");
  CHECK(duration_text(59s) == "59 s");
  CHECK(duration_text(60s) == "1 min");
  CHECK(duration_text(3599s) == "59 min");
  CHECK(duration_text(1h) == "1 h");
  CHECK(duration_text(24h - 1s) == "23 h 59 min");
  CHECK(duration_text(24h) == "1 d");
  CHECK(duration_text(30 * 24h + 5h) == "30 d 5 h");
}

TEST_CASE("times: RFC 3339, and the clock of the person") {
  CHECK(rfc3339(present) == "2025-11-23T17:22:00Z");
  CHECK(rfc3339(sys_seconds(253402300799s)) == "9999-12-31T23:59:59Z");  // date -u -d @253402300799
  ::setenv("TZ", "XYZ-2", 1);                                            // two hours east (POSIX)
  ::tzset();
  CHECK(clock_text(present, present) == "19:22");
  CHECK(clock_text(present + 5h, present) == "2025-11-24 00:22");
  CHECK(clock_text(sys_seconds(253402214400s), present) == "9999-12-31 02:00");
  TokenClaims claims;
  claims.email = "jdoe\033@example.com";
  claims.expires = present;
  CHECK(logged_in_line(claims, present) == "logged in as jdoe\\x1b@example.com until 19:22");
  ::unsetenv("TZ");
  ::tzset();
}

TEST_CASE("login and token as JSON") {
  const Application application{"team.cloudflareaccess.com", "aa", "*.example.com"};
  StoredToken token{Secret(std::string("a.b.c")), {}};
  token.claims.common_name = "robot";
  token.claims.expires = present;
  CHECK(nlohmann::json::parse(login_json(application, token, "")) ==
        nlohmann::json::parse(R"({"application":"*.example.com","identity":"robot",
                                  "expires":"2025-11-23T17:22:00Z",
                                  "stored":true,"why_not_stored":null})"));
  CHECK(login_json(application, token, "").find("a.b.c") == std::string::npos);
  CHECK(nlohmann::json::parse(login_json(application, std::nullopt, "no token")) ==
        nlohmann::json::parse(R"({"application":"*.example.com","identity":null,"expires":null,
                                  "stored":false,"why_not_stored":"no token"})"));
  CHECK(nlohmann::json::parse(token_json(application, token)) ==
        nlohmann::json::parse(R"({"token":"a.b.c","identity":"robot","audience":"aa",
                                  "expires":"2025-11-23T17:22:00Z"})"));
}
