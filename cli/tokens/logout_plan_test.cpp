#include "cli/tokens/logout_plan.hpp"

#include <doctest/doctest.h>

#include "cli/completion.hpp"

using namespace mayfly;
using namespace mayfly::cli;

namespace {

using Names = std::vector<std::string>;

const std::string kTeam = "team.cloudflareaccess.com";
const std::string kOther = "other.cloudflareaccess.com";

std::string audience(char digit) {
  return std::string(64, digit);
}

TokenFile app_token(const std::string& place, char digit, const std::string& team = kTeam) {
  TokenFile token;
  token.name = place + "-" + audience(digit) + "-token";
  token.place = place;
  token.claims.emplace();
  token.claims->audience = {audience(digit)};
  token.claims->issuer = "https://" + team;
  return token;
}

TokenFile team_token(const std::string& team) {
  TokenFile token;
  token.name = team + "-org-token";
  token.place = team;
  token.kind = TokenFile::Kind::team;
  return token;
}

RememberedApplication known(const std::string& place, char digit, const std::string& hostname,
                            const std::string& team = kTeam) {
  return {
      place + "-app", place, place.substr(0, place.find("-")), {team, audience(digit), hostname}};
}

Names names_of(const std::vector<TokenFile>& tokens) {
  Names names;
  for (const auto& token : tokens) names.push_back(token.name);
  return names;
}

Names files_of(const std::vector<RememberedApplication>& applications) {
  Names files;
  for (const auto& one : applications) files.push_back(one.file);
  return files;
}

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

LogoutPlan plan(const Inventory& inventory, const char* url) {
  return plan_logout(inventory, {}, parse_url(url));
}

}  // namespace

TEST_CASE("a logout marks the places by which running commands know the application") {
  RememberedApplication known;
  known.file = "a.wild.example.com-app";
  known.place = "a.wild.example.com";
  known.application = {kTeam, audience('a'), "*.wild.example.com"};
  Inventory inventory;
  inventory.applications.push_back(known);
  const auto plan = plan_logout(inventory, {}, parse_url("a.wild.example.com"));
  CHECK(plan.marked == Names{"-.wild.example.com", "a.wild.example.com"});
  CHECK(plan_logout(inventory, {}, parse_url("other.example.com")).marked ==
        Names{"other.example.com"});
  CHECK(plan_logout(inventory, {}, std::nullopt).marked.empty());
}

TEST_CASE("logout: everything") {
  Inventory inventory;
  inventory.tokens = {app_token("vm.example.com", '1'), team_token(kTeam)};
  inventory.applications = {known("vm.example.com", '1', "vm.example.com")};
  inventory.key_sets = {kTeam};
  inventory.lock_bases = {"x-token"};
  const auto all = plan_logout(inventory, {"a.example.com"}, std::nullopt);
  CHECK(all.tokens.size() == 2);
  CHECK(all.places == Names{"a.example.com"});
  CHECK(all.applications.size() == 1);
  CHECK(all.key_sets == Names{kTeam});
  CHECK(all.lock_bases == Names{"x-token"});
  CHECK(all.kept_teams.empty());
}

TEST_CASE("logout: one application by the name of its file") {
  Inventory inventory;
  inventory.tokens = {app_token("vm.example.com", '1'),
                      app_token("vm.example.com-admin", '2'),
                      app_token("vm.example.com.evil.net", '3'),
                      app_token("web.example.com", '4'),
                      team_token(kTeam),
                      team_token(kOther)};
  const auto host = plan(inventory, "https://VM.example.com/");
  CHECK(names_of(host.tokens) == Names{inventory.tokens[0].name});
  CHECK(host.kept_teams == Names{kTeam});
  CHECK(names_of(plan(inventory, "vm.example.com/admin").tokens) ==
        Names{inventory.tokens[1].name});
  const auto nothing = plan(inventory, "example.com");
  CHECK(nothing.tokens.empty());
  CHECK(nothing.kept_teams.empty());
}

TEST_CASE("logout: a file without a token in it is known by its name alone") {
  Inventory inventory;
  inventory.tokens = {app_token("vm.example.com", '1')};
  inventory.tokens[0].claims.reset();
  CHECK(plan(inventory, "vm.example.com").tokens.size() == 1);
}

TEST_CASE("logout: one application under all its URLs") {
  Inventory inventory;
  inventory.tokens = {app_token("-.example.com", '1'), app_token("web.example.com", '2')};
  inventory.applications = {known("a.example.com", '1', "*.example.com"),
                            known("b.example.com", '1', "*.example.com"),
                            known("web.example.com", '2', "web.example.com")};
  inventory.key_sets = {kTeam};
  const auto wildcard = plan(inventory, "a.example.com");
  CHECK(names_of(wildcard.tokens) == Names{inventory.tokens[0].name});
  CHECK(files_of(wildcard.applications) == Names{"a.example.com-app", "b.example.com-app"});
  for (const char* place : {"a.example.com", "b.example.com", "a.example.com-"})
    CHECK(contains(wildcard.places, place));
  CHECK_FALSE(contains(wildcard.places, "web.example.com"));
}

TEST_CASE("logout: one application by a page of it") {
  Inventory inventory;
  inventory.tokens = {app_token("web.example.com", '1'), app_token("web.example.com-admin", '2')};
  inventory.applications = {known("web.example.com", '1', "web.example.com"),
                            known("web.example.com-admin", '2', "web.example.com/admin")};
  const auto page = plan(inventory, "web.example.com/a/b");
  CHECK(names_of(page.tokens) == Names{inventory.tokens[0].name});
  CHECK(files_of(page.applications) == Names{"web.example.com-app"});
  const auto nested = plan(inventory, "web.example.com/admin/b");
  CHECK(names_of(nested.tokens) == Names{inventory.tokens[1].name});
  CHECK(files_of(nested.applications) == Names{"web.example.com-admin-app"});
}

TEST_CASE("logout: a key set stays while another application of the team needs it") {
  Inventory inventory;
  inventory.applications = {known("a.example.com", '1', "a.example.com"),
                            known("b.example.com", '2', "b.example.com"),
                            known("c.example.com", '3', "c.example.com", kOther)};
  inventory.key_sets = {kTeam, kOther};
  CHECK(plan(inventory, "a.example.com").key_sets.empty());
  CHECK(plan(inventory, "c.example.com").key_sets == Names{kOther});
  inventory.applications.erase(inventory.applications.begin() + 1);
  CHECK(plan(inventory, "a.example.com").key_sets == Names{kTeam});
}

TEST_CASE("logout: locks of the application") {
  const std::string token_of_vm = "vm.example.com-" + audience('1') + "-token";
  const std::string token_of_web = "web.example.com-" + audience('1') + "-token";
  Inventory inventory;
  inventory.lock_bases = {token_of_vm, token_of_web, kTeam + "-org-token", "vm.example.com-cf_key",
                          "web.example.com-cf_key"};
  CHECK(plan(inventory, "vm.example.com").lock_bases ==
        Names{token_of_vm, "vm.example.com-cf_key"});
}

TEST_CASE("logout: keys under the name that cloudflared makes of a URL with a slash at its end") {
  CHECK(plan({}, "vm.example.com").places == Names{"vm.example.com", "vm.example.com-"});
  CHECK(plan({}, "https://vm.example.com/a/").places ==
        Names{"vm.example.com-a", "vm.example.com-a-"});
}

TEST_CASE("known host names") {
  Inventory inventory;
  inventory.applications = {known("a.example.com", '1', "*.example.com"),
                            known("tools.example.com-admin", '2', "tools.example.com/admin")};
  inventory.applications[1].host = "tools.example.com";
  inventory.tokens = {app_token("-.example.com", '1'), app_token("old.example.com", '3'),
                      app_token("tools.example.com-admin", '2'),
                      app_token("$(id).example.com", '4'), team_token(kTeam)};
  CHECK(known_hosts(inventory, {"vm.example.com", "tools.example.com-other"}, {}) ==
        Names{"a.example.com", "old.example.com", "tools.example.com", "tools.example.com/admin",
              "vm.example.com"});
}

TEST_CASE("known host names: ssh_config explains what a file name leaves open") {
  CHECK(known_hosts({}, {"vm.example.com-team"}, {"vm.example.com/team", "a b", "-x"}) ==
        Names{"vm.example.com/team"});
}
