// Credentials of people: stored tokens, browser, exchange, locks.
#include "access/testing/credentials.hpp"

using namespace mayfly;
using namespace mayfly::test;
using namespace mayfly::credentials_test;
using namespace std::chrono_literals;

TEST_CASE("without an application no credential is needed") {
  World world;
  world.edge.on(kApp, answer(200));
  const Grant grant = world.obtain();
  CHECK_FALSE(grant.application);
  CHECK_FALSE(grant.token);
  CHECK(world.state.names().empty());
}

TEST_CASE("a known application with a valid token needs no network") {
  World world;
  CHECK_FALSE(world.credentials().known(test_url()));
  world.obtain();
  world.edge.forget_requests();
  const auto grant = world.credentials().known(test_url());
  REQUIRE(grant);
  CHECK(grant->application == test_application());
  CHECK(jwt_of(*grant) == world.app_token);
  CHECK(world.edge.requests().empty());
  world.state.directory().remove(kFile);
  CHECK_FALSE(world.credentials().known(test_url()));
}

TEST_CASE("a stored token is known while the record is young, and asked about afterwards") {
  World world;
  world.options.now = [&] { return world.now; };
  const auto live_for = [&](std::chrono::seconds time) {
    return team_key().sign(app_claims(world.now).time("exp", world.now + time));
  };
  world.obtain();
  const std::string token = live_for(72h);
  world.store(kFile, token);
  CHECK(world.credentials().stored(test_url()));
  world.edge.forget_requests();
  world.now += 24h + 1s;
  CHECK_FALSE(world.credentials().known(test_url()));
  CHECK(world.edge.requests().empty());
  CHECK(jwt_of(*world.credentials().stored(test_url())) == token);
  CHECK(world.edge.requests().size() == 1);
  CHECK(jwt_of(*world.credentials().known(test_url())) == token);

  world.now += 24h + 1s;
  world.edge.on(kApp, [](const Request&) -> Response {
    throw Error(ErrorKind::network, "connecting: no route", "look at the network");
  });
  for (const auto& ask : {std::function([&] { world.credentials().stored(test_url()); }),
                          std::function([&] { world.obtain(); })})
    CHECK(error_of(ask).kind() == ErrorKind::network);
  world.edge.on(kApp, answer(200));
  CHECK_FALSE(world.credentials().stored(test_url()));
  CHECK_FALSE(world.obtain().token);
}

TEST_CASE(
    "a token for the application in the record does not go to another one that the edge names") {
  const std::string other = "other.cloudflareaccess.com";
  const std::pair<const char*, std::string> changes[] = {
      {"aud", "another"}, {"app_hostname", "*.example.com"}, {"auth_domain", other}};
  for (const auto& [claim, value] : changes) {
    CAPTURE(claim);
    World world;
    world.options.now = [&] { return world.now; };
    world.obtain();
    world.forbid_login();
    world.state.directory().remove(kOrgFile);
    const std::string token = team_key().sign(app_claims(world.now).time("exp", world.now + 72h));
    world.store(kFile, token);
    CHECK(jwt_of(*world.credentials().known(test_url())) == token);

    world.now += 24h + 1s;
    world.edge.on("https://" + other + "/cdn-cgi/access/certs",
                  answer(200, {}, key_set({team_key().jwk()})));
    world.edge.on(kApp, [&](const Request& request) {
      if (request_header(request, "CF-Access-Metadata-Request").empty()) return redirect(kLogin);
      return answer(200, {{"CF-Access-Metadata",
                           team_key().sign(metadata_claims(world.now).text(claim, value))}});
    });
    CHECK_FALSE(world.credentials().known(test_url()));
    CHECK_FALSE(world.credentials().stored(test_url()));
    CHECK(world.refusal().kind() == ErrorKind::login_needed);
    for (const Request& request : world.edge.requests())
      for (const auto& header : request.headers) CHECK_FALSE(contains(header.value, token));
    CHECK(world.state.content(kFile) == token);
  }
}

TEST_CASE("a stored token is used before anything else") {
  World world;
  world.store(kFile, world.token("stored"));
  CHECK(jwt_of(world.obtain()) == world.token("stored"));
  CHECK(world.edge.requests().size() == 2);  // metadata and keys
}

TEST_CASE("a browser login stores both tokens and leaves no lock") {
  World world;
  CHECK(jwt_of(world.obtain()) == world.app_token);
  REQUIRE(world.shown.size() == 1);
  CHECK(world.shown[0].starts_with("https://vm.example.com/cdn-cgi/access/cli?aud="));
  CHECK(world.state.content(kFile) == world.app_token);
  CHECK(world.state.content(kOrgFile) == world.org_token);
  CHECK(world.no_locks_left());
}

TEST_CASE("tokens from the browser are judged by the time when they come") {
  World world;
  world.options.now = [&] { return world.now; };
  world.prompt.show = [&](const std::string& url) {
    world.now += 10min;
    world.app_token = world.token("after ten minutes");  // issued just now
    world.log_in(url);
  };
  CHECK(jwt_of(world.obtain()) == world.app_token);

  World late;
  late.options.now = [&] { return late.now; };
  late.app_token = team_key().sign(app_claims(late.now).time("exp", late.now + 5min));
  late.prompt.show = [&](const std::string& url) {
    late.now += 10min;
    late.log_in(url);
  };
  CHECK(late.refusal().kind() == ErrorKind::protocol);
  CHECK(late.state.content(kFile).empty());
}

TEST_CASE("while the person logs in both locks are held and tell the URL") {
  World world;
  world.prompt.show = [&](const std::string& url) {
    for (const std::string& base : {kFile, std::string(kOrgFile)}) {
      CHECK(contains(world.state.content(base + ".lock"), fmt::format("\"pid\":{},", getpid())));
      CHECK(world.state.content(base + ".url") == url);
    }
    world.log_in(url);
  };
  world.obtain();
  CHECK(world.no_locks_left());
}

TEST_CASE("an expired org token is replaced by the new one") {
  World world;
  world.store(kOrgFile, team_key().sign(org_claims(world.now).time("exp", world.now - 1s)));
  world.obtain();
  CHECK(world.state.content(kOrgFile) == world.org_token);
}

TEST_CASE("an org token is exchanged without a browser or its lock") {
  World world;
  world.store(kOrgFile, world.org_token);
  world.grant_exchange(world.token("exchanged"));
  world.edge.on(kLogin, [&](const Request&) {
    CHECK(world.state.content(kFile + ".lock") != "");
    CHECK(world.state.content(std::string(kOrgFile) + ".lock").empty());
    return redirect(kAuthorized);
  });
  CHECK(jwt_of(world.obtain()) == world.token("exchanged"));
  CHECK(world.state.content(kFile) == world.token("exchanged"));
  CHECK(world.shown.empty());
  CHECK(world.no_locks_left());
}

TEST_CASE("an org token that is refused leads to the browser and is replaced") {
  World world;
  world.store(kOrgFile, team_key().sign(org_claims(world.now).text("sub", "revoked")));
  CHECK(jwt_of(world.obtain()) == world.app_token);
  CHECK(world.shown.size() == 1);
  CHECK(world.state.content(kOrgFile) == world.org_token);
}

TEST_CASE("tokens from the browser are checked before one is stored") {
  World world;
  SUBCASE("audience") {
    world.app_token = team_key().sign(app_claims(world.now).text("aud", "x"));
  }
  SUBCASE("expiry") {
    world.app_token = team_key().sign(app_claims(world.now).time("exp", world.now));
  }
  SUBCASE("org token") {
    world.org_token = "junk";
  }
  CHECK(world.refusal().kind() == ErrorKind::protocol);
  CHECK(world.state.content(kFile).empty());
  CHECK(world.state.content(kOrgFile).empty());
  CHECK(world.no_locks_left());
}

TEST_CASE("a login that is not completed leaves nothing") {
  World world;
  world.options.transfer.patience = 0s;
  CHECK(world.refusal().kind() == ErrorKind::login_needed);
  CHECK(world.state.content(kFile).empty());
  CHECK(world.no_locks_left());
}

TEST_CASE("the prompt hears of the wait for a login, of its end, and of the identity") {
  World world;
  std::string told;
  world.prompt.waiting = [&](std::chrono::seconds left) {
    CHECK(left > 800s);
    CHECK(left <= 900s);
    told = "waiting ";
  };
  world.prompt.waited = [&] { told += "over "; };
  world.prompt.logged_in = [&](const TokenClaims& claims) { told += claims.email; };
  SUBCASE("completed") {
    world.obtain();
    CHECK(told == "waiting over jdoe@example.com");
  }
  SUBCASE("given up") {
    world.prompt.show = [&](const std::string& url) {
      world.edge.on("https://login.cloudflareaccess.org/transfer/" +
                        query_value(parse_url(url).query, "token"),
                    answer(500));
    };
    CHECK(world.refusal().kind() == ErrorKind::network);
    CHECK(told == "waiting over ");
  }
  SUBCASE("not needed") {
    world.store(kFile, world.token("stored"));
    world.obtain();
    CHECK(told.empty());
  }
}

TEST_CASE("a command that needs a login and may not log in fails at once") {
  World world;
  world.forbid_login();
  SUBCASE("no token at all") {}
  SUBCASE("an org token that is refused") {
    world.store(kOrgFile, world.org_token);
  }
  const Error error = world.refusal();
  CHECK(error.kind() == ErrorKind::login_needed);
  CHECK(contains(error.hint(), "login https://vm.example.com"));
  CHECK(world.shown.empty());
  CHECK(world.no_locks_left());
}

TEST_CASE("a command that may not log in can still exchange an org token") {
  World world;
  world.forbid_login();
  world.store(kOrgFile, world.org_token);
  world.grant_exchange(world.token("exchanged"));
  CHECK(jwt_of(world.obtain()) == world.token("exchanged"));
}

TEST_CASE("a waiter shows the other's URL and leaves when the token appears") {
  World world;
  auto other = wait_for_login_lock(world.state.directory(), kFile, {});
  REQUIRE(other);
  other->publish_url("https://vm.example.com/other");
  world.prompt.other_login = [&](long pid, std::string_view url) {
    CHECK(pid == getpid());
    CHECK(url == "https://vm.example.com/other");
    world.store(kFile, world.token("other"));
  };
  CHECK(jwt_of(world.obtain()) == world.token("other"));
  CHECK(world.shown.empty());
}

TEST_CASE("a waiter for the org token exchanges it when it appears") {
  World world;
  world.grant_exchange(world.token("exchanged"));
  auto other = wait_for_login_lock(world.state.directory(), kOrgFile, {});
  REQUIRE(other);
  other->publish_url("https://a.example.com/other");
  world.prompt.other_login = [&](long, std::string_view) {
    world.store(kOrgFile, world.org_token);
  };
  CHECK(jwt_of(world.obtain()) == world.token("exchanged"));
  CHECK(world.shown.empty());
}

TEST_CASE("a refused token is replaced, unless there is a new one already") {
  World world;
  const Grant grant = world.obtain();
  const auto renew = [&] { return jwt_of(world.credentials().renew(test_url(), grant)); };
  world.store(kFile, world.token("new"));
  CHECK(renew() == world.token("new"));
  world.store(kFile, world.app_token);
  world.app_token = world.token("another login");
  CHECK(renew() == world.app_token);
  CHECK(world.state.content(kFile) == world.app_token);
  CHECK(jwt_of(world.credentials().renew(test_url(), Grant{})) == world.app_token);
}

TEST_CASE("a token refused at another application's URL stays") {
  World world;
  const Grant grant = world.obtain();
  const std::string nested = "vm.example.com/admin";
  world.edge.on("https://vm.example.com/admin", [&](const Request& request) {
    if (request_header(request, "CF-Access-Metadata-Request").empty()) return redirect(kLogin);
    return answer(
        200,
        {{"CF-Access-Metadata",
          team_key().sign(
              metadata_claims(world.now).text("aud", "nested").text("app_hostname", nested))}});
  });
  world.forbid_login();
  CHECK(error_of([&] { world.credentials().renew(parse_url(nested), grant); }).kind() ==
        ErrorKind::login_needed);
  CHECK(world.state.content(kFile) == jwt_of(grant));
}

TEST_CASE("only a mark that wants a login means that the edge does not take a token") {
  World world;
  const Grant grant = world.obtain();
  const auto accepted = [&](ScriptedSend::Answer answer) {
    world.application = std::move(answer);
    return world.credentials().accepted_at_edge(parse_url("vm.example.com?a=1"), grant);
  };
  CHECK_FALSE(accepted([&](const Request& request) {
    CHECK(request.method == Request::Method::get);
    CHECK(request.url.query == "cloudflared_token_check=true");
    CHECK(request_header(request, "Cf-Access-Token") == world.app_token);
    CHECK(request.timeout == 5s);
    return redirect(kLogin);
  }));
  for (
      const char* challenge :
      {"Cloudflare-Access",
       R"(Bearer resource_metadata="https://vm.example.com/.well-known/cloudflare-access-protected-resource")"})
    CHECK_FALSE(accepted([&](const Request&) {
      return answer(401, {{"WWW-Authenticate", challenge}});
    }));
  for (const Response& response :
       {answer(200), answer(401), answer(401, {{"WWW-Authenticate", "Bearer"}}), answer(403),
        answer(502), answer(500), redirect("/elsewhere"), redirect(""),
        redirect("https://other.example.com/cdn-cgi/access/login")})
    CHECK(accepted([&](const Request&) { return response; }));
  for (const ErrorKind kind : {ErrorKind::network, ErrorKind::protocol})
    CHECK(accepted([&](const Request&) -> Response { throw Error(kind, "slow"); }));
  CHECK_THROWS_AS(accepted([](const Request&) -> Response {
                    throw Error(ErrorKind::login_needed, "interrupted");
                  }),
                  Error);
}
