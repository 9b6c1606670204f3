#include "access/identity/application.hpp"

#include <doctest/doctest.h>

#include "access/core/encoding.hpp"
#include "access/identity/test_access.hpp"
#include "access/identity/test_tokens.hpp"

using namespace mayfly;
using namespace mayfly::test;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

constexpr auto kApp = "https://vm.example.com";
constexpr auto kCerts = "https://team.cloudflareaccess.com/cdn-cgi/access/certs";
constexpr auto kKeysFile = "team.cloudflareaccess.com-jwks";
constexpr auto kRecord = "vm.example.com-app";

struct World {
  TemporaryState state;
  ScriptedSend edge;
  Send send = edge.send();
  ApplicationFinder finder{state.directory(), send};
  std::chrono::sys_seconds now = system_now();

  World() {
    serve(team_key().sign(metadata_claims(now)));
    serve_keys(team_key());
  }
  void serve(const std::string& metadata) {
    edge.on(kApp,
            answer(302, {{"CF-Access-Metadata", metadata}, {"Location", "/cdn-cgi/access/login"}}));
  }
  void serve_keys(const SigningKey& key) { edge.on(kCerts, answer(200, {}, key_set({key.jwk()}))); }
  void store_keys(const SigningKey& key, std::chrono::seconds age) {
    state.directory().write(kKeysFile, key_set({key.jwk()}));
    state.set_age(kKeysFile, age);
  }
  std::optional<Application> find() { return finder.find(test_url(), now); }

  // Refused as not what Access sends, and nothing is left on disk.
  void check_refused(const std::string& metadata) {
    serve(metadata);
    const auto before = state.names();
    const Error error = error_of([&] { find(); });
    CHECK(error.kind() == ErrorKind::protocol);
    CHECK(state.names() == before);
    CHECK_FALSE(finder.known(test_url()));
  }
};

}  // namespace

TEST_CASE("the auth domain is a host under cloudflareaccess.com") {
  const std::pair<std::string_view, std::string_view> table[] = {
      {"myteam.cloudflareaccess.com", "myteam.cloudflareaccess.com"},
      {"myteam.fed.cloudflareaccess.com", "myteam.fed.cloudflareaccess.com"},
      {"TEAM.CLOUDFLAREACCESS.COM", "team.cloudflareaccess.com"},
      {"team.cloudflareaccess.com:443", "team.cloudflareaccess.com"},
      {"team.cloudflareaccess.com/path", "team.cloudflareaccess.com"},
      {"team.cloudflareaccess.com#fragment", "team.cloudflareaccess.com"},
      {"evil.example@team.cloudflareaccess.com", "team.cloudflareaccess.com"},
      {"", ""},
      {"evil.com", ""},
      {"cloudflareaccess.com", ""},
      {".cloudflareaccess.com", ""},
      {"evilcloudflareaccess.com", ""},
      {"team.cloudflareaccess.com.evil.com", ""},
      {"team.cloudflareaccess.com@evil.example", ""},
      {"keys.evil.example#.cloudflareaccess.com", ""},
      {"keys.evil.example/x.cloudflareaccess.com", ""},
      {"keys.evil.example?x=.cloudflareaccess.com", ""},
      {"evil.example\\.cloudflareaccess.com", ""},
      {"evil.example\\@x/.cloudflareaccess.com", ""},
      {"evil.example\\@team.cloudflareaccess.com", ""},
      {"evil.example\0@team.cloudflareaccess.com"sv, ""},
      {"team.cloudflareaccess.com\n", ""},
      {" team.cloudflareaccess.com", ""},
      {"evil.example:.cloudflareaccess.com", ""},
      {"team.cloudflareaccess.com:4x3", ""},
      {"../x.cloudflareaccess.com", ""},
      {"a b.cloudflareaccess.com", ""},
      {"a%2f.cloudflareaccess.com", ""},
      {"a\n.cloudflareaccess.com", ""},
      {"https://team.cloudflareaccess.com", ""},
      {"[::1].cloudflareaccess.com", ""},
      {"%", ""},
  };
  for (const auto& row : table) {
    CAPTURE(row.first);
    CHECK(auth_domain_host(row.first).value_or("") == row.second);
  }
}

TEST_CASE("an application is asked for, verified and remembered") {
  World world;
  const auto application = world.find();
  REQUIRE(application);
  CHECK(*application == test_application());

  const Request& head = world.edge.last(kApp);
  CHECK(head.method == Request::Method::head);
  CHECK(request_header(head, "CF-Access-Metadata-Request") == "true");
  CHECK(head.timeout == 7s);
  const Request& certs = world.edge.last(kCerts);
  CHECK(certs.method == Request::Method::get);
  CHECK(certs.timeout == 10s);
  CHECK(certs.max_body == 1048576);

  CHECK(world.state.names() == std::vector<std::string>{kKeysFile, kRecord});
  CHECK(world.state.content(kKeysFile) == key_set({team_key().jwk()}));
  CHECK(world.state.content(kRecord) == team_key().sign(metadata_claims(world.now)));
  world.edge.forget_requests();
  CHECK(world.finder.known(test_url()) == application);
  CHECK(world.edge.requests().empty());
}

TEST_CASE("any status may carry the metadata, and none means no application") {
  World world;
  const std::string metadata = team_key().sign(metadata_claims(world.now));
  for (const int status : {200, 302, 403}) {
    world.edge.on(kApp, answer(status, {{"cf-access-metadata", metadata}}));
    CHECK(world.find());
  }
  world.edge.on(kApp, answer(200));
  CHECK_FALSE(world.find());
  CHECK(world.finder.known(test_url()));
}

TEST_CASE("without an application nothing is written") {
  World world;
  world.edge.on(kApp, answer(403, {}, "no"));
  CHECK_FALSE(world.find());
  CHECK(world.state.names().empty());
  CHECK_FALSE(world.finder.known(test_url()));
}

TEST_CASE("an application that is only asked for is verified, and nothing is remembered") {
  World world;
  // Keys that are remembered would verify this one.
  world.store_keys(foreign_key(), 0s);
  const auto before = world.state.names();
  CHECK(ask_application(world.send, test_url(), world.now) == test_application());
  world.serve(foreign_key().sign(metadata_claims(world.now)));
  CHECK(error_of([&] { ask_application(world.send, test_url(), world.now); }).kind() ==
        ErrorKind::protocol);
  world.serve(team_key().sign(metadata_claims(world.now - 25h)));
  CHECK(error_of([&] { ask_application(world.send, test_url(), world.now); }).kind() ==
        ErrorKind::protocol);
  world.edge.on(kApp, answer(200));
  CHECK_FALSE(ask_application(world.send, test_url(), world.now));
  CHECK(world.state.names() == before);
}

TEST_CASE("the whole URL is asked, and its application remembered once") {
  World world;
  for (const char* path : {"/a/b", "/a", "/c/"}) {
    const Url url = parse_url("vm.example.com" + std::string(path) + "?x=1");
    world.edge.on(
        "https://vm.example.com" + std::string(path),
        answer(200, {{"cf-access-metadata", team_key().sign(metadata_claims(world.now))}}));
    const auto application = world.finder.find(url, world.now);
    REQUIRE(application);
    CHECK(world.edge.last("https://vm.example.com" + std::string(path)).url.query == "x=1");
    CHECK(world.finder.known(url) == application);
  }
  CHECK(world.state.names() == std::vector<std::string>{kKeysFile, kRecord});
  CHECK(world.finder.known(test_url()));
}

TEST_CASE("an application inside another one is remembered beside it") {
  World world;
  const auto serve = [&](const std::string& path, const char* defined) {
    auto claims = metadata_claims(world.now);
    claims.text("app_hostname", defined).text("aud", defined);
    world.edge.on("https://vm.example.com" + path,
                  answer(200, {{"cf-access-metadata", team_key().sign(claims)}}));
    REQUIRE(world.finder.find(parse_url("vm.example.com" + path), world.now));
  };
  const auto known = [&](const char* path) {
    const auto application = world.finder.known(parse_url("vm.example.com" + std::string(path)));
    return application ? application->hostname : "";
  };
  serve("/admin/users", "vm.example.com/admin");
  CHECK(world.state.names() == std::vector<std::string>{kKeysFile, "vm.example.com-admin-app"});
  CHECK(known("/admin/x/y") == "vm.example.com/admin");
  for (const char* path : {"/", "/administration", "/other"}) CHECK(known(path) == "");

  serve("/shop", "vm.example.com");
  CHECK(known("/admin/x/y") == "vm.example.com/admin");
  CHECK(known("/administration") == "vm.example.com");

  // "/b-c" and "/b/c" share a file.
  serve("/b/c", "vm.example.com/b/c");
  CHECK(known("/b/c/d") == "vm.example.com/b/c");
  CHECK(known("/b-c") == "vm.example.com");
}

TEST_CASE("where a wildcard hides what belongs to an application, it is known by the URL itself") {
  World world;
  world.edge.on(
      "https://vm.example.com/api/v1",
      answer(200, {{"cf-access-metadata", team_key().sign(metadata_claims(world.now).text(
                                              "app_hostname", "vm.example.com/api/*"))}}));
  REQUIRE(world.finder.find(parse_url("vm.example.com/api/v1"), world.now));
  CHECK(world.finder.known(parse_url("vm.example.com/api/v1/")));
  CHECK_FALSE(world.finder.known(parse_url("vm.example.com/api/v1/a")));
  CHECK_FALSE(world.finder.known(parse_url("vm.example.com/api")));
}

TEST_CASE("a path too long for a file name is found and not remembered") {
  World world;
  const std::string path = "/" + std::string(300, 'x');
  const Url url = parse_url("vm.example.com" + path);
  auto claims = metadata_claims(world.now);
  SUBCASE("as the application's own") {
    claims.text("app_hostname", "vm.example.com/" + std::string(100, 'y') + "/*");
    world.edge.on(url.text(), answer(200, {{"cf-access-metadata", team_key().sign(claims)}}));
    CHECK(world.finder.find(url, world.now));
    CHECK_FALSE(world.finder.known(url));
    CHECK(world.state.names() == std::vector<std::string>{kKeysFile});
  }
  SUBCASE("but not as a page's of a known one") {
    world.edge.on(url.text(), answer(200, {{"cf-access-metadata", team_key().sign(claims)}}));
    CHECK(world.finder.find(url, world.now));
    CHECK(world.finder.known(url));
  }
}

TEST_CASE("metadata that is not signed with RS256 is refused before anything else is asked") {
  World world;
  const std::string claims = metadata_claims(world.now).json();
  const std::string good = team_key().sign(metadata_claims(world.now));
  const std::string none = base64_encode(R"({"alg":"none","kid":"key-1"})", Base64::url_unpadded);
  world.check_refused(team_key().sign(R"({"alg":"none","kid":"key-1"})", claims));
  world.check_refused(team_key().sign(R"({"alg":"HS256","kid":"key-1"})", claims));
  world.check_refused(none + "." + base64_encode(claims, Base64::url_unpadded) + ".");
  world.check_refused(good + "x");
  world.check_refused("junk");
  CHECK(world.edge.count(kCerts) == 0);
}

TEST_CASE("keys are only fetched from a team domain") {
  World world;
  for (const char* domain : {"evil.example", "evilcloudflareaccess.com",
                             "team.cloudflareaccess.com@evil.example", "evil.example/"}) {
    world.check_refused(team_key().sign(metadata_claims(world.now).text("auth_domain", domain)));
  }
  world.check_refused(team_key().sign(metadata_claims(world.now).without("auth_domain")));
  world.check_refused(team_key().sign(metadata_claims(world.now).number("auth_domain", 1)));
  CHECK(world.edge.requests().size() == world.edge.count(kApp));
}

TEST_CASE("the host of the auth domain alone is used") {
  World world;
  world.serve(team_key().sign(
      metadata_claims(world.now).text("auth_domain", "x@TEAM.cloudflareaccess.com:8443/y")));
  const auto application = world.find();
  REQUIRE(application);
  CHECK(application->auth_domain == kTeam);
  CHECK(world.edge.count(kCerts) == 1);
}

TEST_CASE("a signature by another key is refused") {
  World world;
  world.check_refused(foreign_key().sign(metadata_claims(world.now)));
  const SigningKey other("key-2");
  world.check_refused(other.sign(metadata_claims(world.now)));
  world.check_refused(team_key().sign(R"({"alg":"RS256"})", metadata_claims(world.now).json()));
}

TEST_CASE("an answer that is no key set is refused") {
  World world;
  const std::string keys = key_set({team_key().jwk()});
  for (const Response& response :
       {answer(302, {{"Location", "https://evil.example/"}}, keys), answer(500, {}, keys),
        answer(200, {}, "<html>"), answer(200, {}, ""), answer(200, {}, key_set({})),
        answer(200, {}, keys + std::string((1 << 20), ' '))}) {
    world.edge.on(kCerts, response);
    world.check_refused(team_key().sign(metadata_claims(world.now)));
  }
  CHECK(world.edge.requests().size() == 12);
}

TEST_CASE("cached keys serve for 24 hours") {
  World world;
  world.store_keys(team_key(), 24h - 5min);
  CHECK(world.find());
  CHECK(world.edge.count(kCerts) == 0);
  world.store_keys(team_key(), 24h + 5min);
  CHECK(world.find());
  CHECK(world.edge.count(kCerts) == 1);
}

TEST_CASE("keys that do not verify are fetched again once when older than a minute") {
  World world;
  world.store_keys(foreign_key(), 5min);
  CHECK(world.find());
  CHECK(world.edge.count(kCerts) == 1);
  CHECK(world.state.content(kKeysFile) == key_set({team_key().jwk()}));

  world.store_keys(foreign_key(), 5min);
  world.serve_keys(foreign_key());
  world.edge.forget_requests();
  CHECK(error_of([&] { world.find(); }).kind() == ErrorKind::protocol);
  CHECK(world.edge.count(kCerts) == 1);
}

TEST_CASE("young keys that do not verify are not fetched again") {
  World world;
  world.store_keys(foreign_key(), 30s);
  world.check_refused(team_key().sign(metadata_claims(world.now)));
  CHECK(world.edge.count(kCerts) == 0);
}

TEST_CASE("keys from the future, damaged or foreign to the tool are fetched again") {
  World world;
  world.store_keys(foreign_key(), -24h);
  CHECK(world.find());
  CHECK(world.edge.count(kCerts) == 1);
  for (const char* content : {"", "{", "{\"keys\":[]}"}) {
    world.state.directory().write(kKeysFile, content);
    CHECK(world.find());
    CHECK(world.state.content(kKeysFile) == key_set({team_key().jwk()}));
  }
}

TEST_CASE("the hostname must be the requested one") {
  World world;
  world.check_refused(
      team_key().sign(metadata_claims(world.now).text("hostname", "a.example.com")));
  world.check_refused(team_key().sign(metadata_claims(world.now).without("hostname")));
  world.serve(team_key().sign(metadata_claims(world.now).text("hostname", "VM.Example.COM")));
  CHECK(world.find());
}

TEST_CASE("type and audience are checked") {
  World world;
  world.check_refused(team_key().sign(metadata_claims(world.now).text("type", "bypass")));
  world.check_refused(team_key().sign(metadata_claims(world.now).without("type")));
  world.check_refused(team_key().sign(metadata_claims(world.now).text("aud", "")));
  world.check_refused(team_key().sign(metadata_claims(world.now).without("aud")));
  world.check_refused(team_key().sign(metadata_claims(world.now).raw("aud", "[\"x\"]")));
}

TEST_CASE("the time of issue is checked") {
  World world;
  const auto issued = [&](std::chrono::sys_seconds at) {
    return team_key().sign(metadata_claims(world.now).time("iat", at));
  };
  world.check_refused(team_key().sign(metadata_claims(world.now).without("iat")));
  world.check_refused(team_key().sign(metadata_claims(world.now).number("iat", 0)));
  world.check_refused(team_key().sign(metadata_claims(world.now).text("iat", "1")));
  CHECK(error_of([&] { world.find(); }).message().find("when it was issued") != std::string::npos);
  world.check_refused(issued(world.now - 24h - 1s));
  world.check_refused(issued(world.now + 5min + 1s));
  for (const auto at : {world.now - 24h, world.now + 5min}) {
    world.serve(issued(at));
    CHECK(world.find());
  }
}

TEST_CASE("the application's own hostname names it") {
  World world;
  world.serve(team_key().sign(metadata_claims(world.now).text("app_hostname", "*.example.com/x")));
  CHECK(world.find()->hostname == "*.example.com/x");
  for (const auto& claims : {metadata_claims(world.now).without("app_hostname"),
                             metadata_claims(world.now).text("app_hostname", "")}) {
    world.serve(team_key().sign(claims));
    CHECK(world.find()->hostname == kHost);
  }
}

TEST_CASE("claims that cannot be part of a file name are refused") {
  World world;
  for (const auto& claims : {metadata_claims(world.now).text("app_hostname", "../../etc/passwd"),
                             metadata_claims(world.now).text("app_hostname", "a\\nb"),
                             metadata_claims(world.now).text("app_hostname", "a\\u0000b"),
                             metadata_claims(world.now).text("app_hostname", std::string(200, 'a')),
                             metadata_claims(world.now).raw("app_hostname", "null"),
                             metadata_claims(world.now).text("aud", std::string(300, 'a'))}) {
    CAPTURE(claims.json());
    world.check_refused(team_key().sign(claims));
  }
}

TEST_CASE("what is remembered is verified at each load") {
  World world;
  REQUIRE(world.find());
  const auto remember = [&](const std::string& text) {
    world.state.directory().write(kRecord, text);
    return world.finder.known(test_url());
  };
  CHECK(remember(team_key().sign(metadata_claims(world.now))));
  CHECK_FALSE(remember(foreign_key().sign(metadata_claims(world.now))));
  CHECK_FALSE(remember(team_key().sign(metadata_claims(world.now).text("hostname", "a.b"))));
  CHECK_FALSE(remember(team_key().sign(metadata_claims(world.now).text("type", "x"))));
  CHECK_FALSE(remember(team_key().sign(metadata_claims(world.now).text("aud", ""))));
  CHECK_FALSE(
      remember(team_key().sign(metadata_claims(world.now).text("auth_domain", "evil.com"))));
  CHECK_FALSE(remember(""));
}

TEST_CASE("neither age decides on what is remembered, but the keys must be there") {
  World world;
  REQUIRE(world.find());
  world.state.directory().write(
      kRecord, team_key().sign(metadata_claims(world.now).time("iat", world.now - 24h * 400)));
  world.state.set_age(kKeysFile, 24h * 400);
  CHECK(world.finder.known(test_url()));
  world.state.directory().remove(kKeysFile);
  CHECK_FALSE(world.finder.known(test_url()));
}

TEST_CASE("an error of the network passes through") {
  World world;
  world.edge.on(kCerts, [](const Request&) -> Response {
    throw Error(ErrorKind::network, "connecting: no route");
  });
  CHECK(error_of([&] { world.find(); }).kind() == ErrorKind::network);
  CHECK(world.state.names().empty());
}
