#include "access/identity/token_store.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "access/testing/access.hpp"
#include "access/testing/tokens.hpp"

using namespace mayfly;
using namespace mayfly::test;
using namespace std::chrono_literals;

namespace {

const std::string kFile = std::string(kHost) + "-" + std::string(kAudience) + "-token";
constexpr auto kOrgFile = "team.cloudflareaccess.com-org-token";

struct Store {
  TemporaryState state;
  std::chrono::sys_seconds now = system_now();

  auto load(const std::string& content) {
    state.directory().write(kFile, content);
    return load_app_token(state.directory(), test_application(), now);
  }
  auto load_org(const std::string& content) {
    state.directory().write(kOrgFile, content);
    return load_org_token(state.directory(), kTeam, now);
  }
  Error refusal(const Claims& app, const std::string& org = "") {
    return error_of([&] {
      save_tokens(state.directory(), test_application(),
                  {Secret(team_key().sign(app)), Secret(org)}, now);
    });
  }
};

}  // namespace

TEST_CASE("token files have cloudflared's names") {
  CHECK(app_token_file(test_application()) == kFile);
  CHECK(app_token_file({.auth_domain = "", .audience = "aa", .hostname = "*.example.com/x*"}) ==
        "-.example.com-x--aa-token");
  CHECK(org_token_file(kTeam) == kOrgFile);
  CHECK_THROWS_AS(app_token_file({.auth_domain = "", .audience = "a", .hostname = "../x"}), Error);
}

TEST_CASE("looking at a token deletes none, whatever state it is in") {
  Store store;
  const std::string ended = team_key().sign(app_claims(store.now - 48h));
  store.state.directory().write(kFile, ended);
  const auto token = peek_app_token(store.state.directory(), test_application());
  REQUIRE(token);
  CHECK(token->claims.expires < store.now);
  CHECK(store.state.content(kFile) == ended);
  CHECK_FALSE(peek_org_token(store.state.directory(), kTeam));
  store.state.directory().write(kFile, "no token");
  CHECK_FALSE(peek_app_token(store.state.directory(), test_application()));
}

TEST_CASE("a valid stored token is loaded, its signature is the edge's business") {
  Store store;
  for (const auto* key : {&team_key(), &foreign_key()}) {
    const std::string jwt = key->sign(app_claims(store.now));
    const auto token = store.load(jwt);
    REQUIRE(token);
    CHECK(token->jwt.reveal() == jwt);
    CHECK(token->claims.email == "jdoe@example.com");
    CHECK(store.load(jwt + "\n")->jwt.reveal() == jwt);
    CHECK_FALSE(store.load(jwt + "\n\n"));
  }
  CHECK(store.load(team_key().sign(app_claims(store.now).text("aud", kAudience))));
  CHECK(store.load(team_key().sign(
      app_claims(store.now).raw("aud", "[\"x\",\"" + std::string(kAudience) + "\"]"))));
}

TEST_CASE("an absent token loads as none") {
  Store store;
  CHECK_FALSE(load_app_token(store.state.directory(), test_application(), store.now));
  CHECK_FALSE(load_org_token(store.state.directory(), kTeam, store.now));
}

TEST_CASE("an expired stored token is deleted") {
  Store store;
  CHECK_FALSE(store.load(team_key().sign(app_claims(store.now).time("exp", store.now))));
  CHECK(store.state.names().empty());
  CHECK_FALSE(store.load_org(team_key().sign(org_claims(store.now).time("exp", store.now - 1s))));
  CHECK(store.state.names().empty());
  CHECK(store.load(team_key().sign(app_claims(store.now).time("exp", store.now + 1s))));
}

TEST_CASE("a stored token of another application or team is deleted") {
  Store store;
  CHECK_FALSE(store.load(team_key().sign(app_claims(store.now).text("aud", "other"))));
  CHECK(store.state.names().empty());
  CHECK_FALSE(
      store.load_org(team_key().sign(org_claims(store.now).text("iss", "https://evil.com"))));
  CHECK(store.state.names().empty());
}

TEST_CASE("metadata that names another team's file does not get its token") {
  Store store;
  for (const auto& claims :
       {app_claims(store.now).text("iss", "https://other.cloudflareaccess.com"),
        app_claims(store.now).text("iss", kTeam), app_claims(store.now).without("iss"),
        app_claims(store.now).text("iss", "https://other.cloudflareaccess.com").text("aud", "x")}) {
    CAPTURE(claims.json());
    CHECK_FALSE(store.load(team_key().sign(claims)));
    CHECK_FALSE(peek_app_token(store.state.directory(), test_application()));
    CHECK(store.state.names() == std::vector<std::string>{kFile});
  }
}

TEST_CASE("a stored token that is not RS256 does not count, and stays as it may be half written") {
  Store store;
  const std::string jwt = team_key().sign(app_claims(store.now));
  const std::string claims = app_claims(store.now).json();
  for (const std::string& content :
       {std::string(), jwt.substr(0, 300), team_key().sign(R"({"alg":"HS256"})", claims),
        team_key().sign(R"({"alg":"none"})", claims), team_key().sign(Claims())}) {
    CHECK_FALSE(store.load(content));
    CHECK(store.state.names() == std::vector<std::string>{kFile});
  }
}

TEST_CASE("both tokens are stored bare, for their owner only") {
  Store store;
  const std::string app = team_key().sign(app_claims(store.now));
  const std::string org = team_key().sign(org_claims(store.now));
  const mode_t old_mask = umask(0);
  const StoredToken stored = save_tokens(store.state.directory(), test_application(),
                                         {Secret(app), Secret(org)}, store.now);
  umask(old_mask);
  CHECK(stored.jwt.reveal() == app);
  CHECK(stored.claims.is_for(kAudience));
  CHECK(store.state.content(kFile) == app);
  CHECK(store.state.content(kOrgFile) == org);
  for (const std::string& name : store.state.names()) {
    struct stat status {};
    REQUIRE(stat(store.state.directory().path_of(name).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
}

TEST_CASE("a token that is not what was asked for is not stored") {
  Store store;
  for (const auto& claims :
       {app_claims(store.now).text("aud", "other"), app_claims(store.now).time("exp", store.now),
        app_claims(store.now).text("iss", "https://other.cloudflareaccess.com"),
        app_claims(store.now).without("iss"), app_claims(store.now).without("exp")}) {
    CAPTURE(claims.json());
    CHECK(store.refusal(claims).kind() == ErrorKind::protocol);
    CHECK(store.state.names().empty());
  }
  for (const std::string& jwt :
       {std::string("junk"), std::string(),
        team_key().sign(R"({"alg":"none"})", app_claims(store.now).json())}) {
    CHECK_THROWS_AS(
        save_app_token(store.state.directory(), test_application(), Secret(jwt), store.now), Error);
    CHECK(store.state.names().empty());
  }
}

TEST_CASE("with a bad org token neither is stored, with an expired one the app token is") {
  Store store;
  const auto claims = app_claims(store.now);
  CHECK(store.refusal(claims, "junk").kind() == ErrorKind::protocol);
  CHECK(store
            .refusal(claims, team_key().sign(org_claims(store.now).text(
                                 "iss", "https://other.cloudflareaccess.com")))
            .kind() == ErrorKind::protocol);
  CHECK(store.state.names().empty());
  const std::string expired = team_key().sign(org_claims(store.now).time("exp", store.now));
  save_tokens(store.state.directory(), test_application(),
              {Secret(team_key().sign(claims)), Secret(expired)}, store.now);
  CHECK(store.state.names() == std::vector<std::string>{kFile});
}

TEST_CASE("text from outside is shown in one printable line") {
  Store store;
  const Error error = store.refusal(app_claims(store.now).text("iss", "x\\u001b[31m\\ny"));
  CHECK(error.message().find('\x1b') == std::string::npos);
  CHECK(error.message().find('\n') == std::string::npos);
}

TEST_CASE("a token is only taken away while it is still that token") {
  Store store;
  const Secret old_jwt(team_key().sign(app_claims(store.now).text("sub", "old")));
  const Secret new_jwt(team_key().sign(app_claims(store.now).text("sub", "new")));
  save_app_token(store.state.directory(), test_application(), new_jwt, store.now);
  CHECK_FALSE(remove_app_token(store.state.directory(), test_application(), old_jwt));
  CHECK(store.state.content(kFile) == new_jwt.reveal());
  CHECK(remove_app_token(store.state.directory(), test_application(), new_jwt));
  CHECK(store.state.names().empty());
}
