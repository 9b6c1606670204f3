#include "access/identity/inventory.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "access/identity/token_store.hpp"
#include "access/testing/access.hpp"
#include "access/testing/tokens.hpp"

using namespace mayfly;
using namespace mayfly::test;
using namespace std::chrono_literals;

namespace {

const std::string kApp = std::string(kHost) + "-" + std::string(kAudience) + "-token";
constexpr auto kOrg = "team.cloudflareaccess.com-org-token";

struct Place {
  TemporaryState state;
  std::chrono::sys_seconds now = system_now();

  void put(const std::string& name, const std::string& content) {
    state.directory().write(name, content);
  }
  Inventory take() { return take_inventory(state.directory()); }
  TokenFile only_token() {
    const auto inventory = take();
    REQUIRE(inventory.tokens.size() == 1);
    return inventory.tokens.front();
  }
};

}  // namespace

TEST_CASE("inventory: an empty directory") {
  Place place;
  const auto inventory = place.take();
  CHECK(inventory.tokens.empty());
  CHECK(inventory.applications.empty());
  CHECK(inventory.key_sets.empty());
  CHECK(inventory.lock_bases.empty());
}

TEST_CASE("inventory: tokens, and they stay even when they have ended") {
  Place place;
  const auto long_ago = place.now - 24h;
  place.put(kApp, team_key().sign(app_claims(long_ago)));
  place.put(kOrg, team_key().sign(org_claims(place.now)) + "\n");
  const auto names = place.state.names();
  const auto inventory = place.take();
  REQUIRE(inventory.tokens.size() == 2);

  const TokenFile& team = inventory.tokens[0];
  CHECK(team.kind == TokenFile::Kind::team);
  CHECK(team.place == kTeam);
  CHECK(team.claims->identity() == "jdoe@example.com");

  const TokenFile& app = inventory.tokens[1];
  CHECK(app.name == kApp);
  CHECK(app.kind == TokenFile::Kind::application);
  CHECK(app.place == kHost);
  CHECK(app.claims->expires == long_ago + 1h);
  CHECK(place.state.names() == names);
}

TEST_CASE("inventory: a file without a token, or with another's, is named with the reason") {
  const auto now = system_now();
  for (const std::string& content :
       {std::string(), std::string("\033[2Jgarbage"), std::string(200000, 'x'),
        team_key().sign(app_claims(now).text("aud", std::string(64, '0')))}) {
    Place place;
    place.put(kApp, content);
    const TokenFile token = place.only_token();
    CHECK_FALSE(token.claims);
    CHECK(token.place == kHost);
    CHECK(token.objection.find(kApp) != std::string::npos);
    CHECK(token.objection.find('\033') == std::string::npos);
  }
  Place place;
  place.put(kOrg,
            team_key().sign(org_claims(now).text("iss", "https://other.cloudflareaccess.com")));
  CHECK(place.only_token().objection.ends_with("holds another team's token"));
}

TEST_CASE("inventory: a link is not followed") {
  Place place;
  place.put("elsewhere", team_key().sign(app_claims(place.now)));
  const auto link = place.state.directory().path_of(kApp);
  REQUIRE(::symlink("elsewhere", link.c_str()) == 0);
  const TokenFile token = place.only_token();
  CHECK_FALSE(token.claims);
  CHECK(token.objection.ends_with("it is a symbolic link"));
}

TEST_CASE("inventory: an audience of another form is known by the token itself") {
  Place place;
  place.put("vm.example.com-short-token",
            team_key().sign(app_claims(place.now).raw("aud", R"(["first","short"])")));
  CHECK(place.only_token().place == "vm.example.com");
}

TEST_CASE("inventory: other files are skipped") {
  Place place;
  for (const char* name :
       {"cert.pem", "config.yml", "my-token", "api-token", "my-app", "notes-jwks", "-token",
        "6f1ad4a2-9d0c-4f6e-8a4b-0c8b5a1e2d3f.json", "config.lock", "x.example.com-org-token",
        ".hidden-token", "evilcloudflareaccess.com-jwks"})
    place.put(name, "content");
  const auto inventory = place.take();
  CHECK(inventory.tokens.empty());
  CHECK(inventory.applications.empty());
  CHECK(inventory.key_sets.empty());
  CHECK(inventory.lock_bases.empty());
}

TEST_CASE("inventory: applications, key sets and locks") {
  Place place;
  place.put("vm.example.com-app",
            team_key().sign(metadata_claims(place.now).text("app_hostname", "*.example.com")));
  place.put("team.cloudflareaccess.com-jwks", "{}");
  for (const char* end : {".lock", ".url"}) place.put(kApp + end, "");
  place.put("vm.example.com-cf_key.lock", "");
  const auto inventory = place.take();
  REQUIRE(inventory.applications.size() == 1);
  const RememberedApplication& known = inventory.applications.front();
  CHECK(known.place == "vm.example.com");
  CHECK(known.host == kHost);
  CHECK(known.application ==
        Application{std::string(kTeam), std::string(kAudience), "*.example.com"});
  CHECK(inventory.key_sets == std::vector<std::string>{std::string(kTeam)});
  CHECK(inventory.lock_bases == std::vector<std::string>{kApp, "vm.example.com-cf_key"});

  CHECK(hostname_at("-.example.com", inventory) == "*.example.com");
  CHECK(hostname_at("-.example.net", inventory) == "*.example.net");
  CHECK(hostname_at("vm.example.com-admin", inventory) == "vm.example.com-admin");
}

TEST_CASE("inventory: a record must have the claims that Access signs") {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"auth_domain", "evil.example.com"},
                                                        {"aud", ""},
                                                        {"hostname", ""},
                                                        {"app_hostname", "../../etc"}}) {
    Place place;
    place.put("vm.example.com-app", team_key().sign(metadata_claims(place.now).text(name, value)));
    CHECK(place.take().applications.empty());
  }
}

TEST_CASE("inventory: places in names") {
  CHECK(place_in_token_name(kApp) == "vm.example.com");
  CHECK_FALSE(place_in_token_name("vm.example.com-token"));
  CHECK_FALSE(place_in_token_name("-" + std::string(64, 'a') + "-token"));
  CHECK_FALSE(place_in_token_name("x" + std::string(64, 'a') + "-token"));
  CHECK_FALSE(place_in_token_name("x-" + std::string(64, 'A') + "-token"));
}
