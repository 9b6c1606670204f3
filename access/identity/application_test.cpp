#include "access/identity/application.hpp"

#include <doctest/doctest.h>

#include "access/testing/application.hpp"

using namespace mayfly;
using namespace mayfly::test;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

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
  ApplicationWorld world;
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
  CHECK(world.finder.known(test_url(), world.now) == application);
  CHECK(world.edge.requests().empty());
}

TEST_CASE("any status may carry the metadata, and none means no application") {
  ApplicationWorld world;
  const std::string metadata = team_key().sign(metadata_claims(world.now));
  for (const int status : {200, 302, 403}) {
    world.edge.on(kApp, answer(status, {{"cf-access-metadata", metadata}}));
    CHECK(world.find());
  }
  world.edge.on(kApp, answer(200));
  CHECK_FALSE(world.find());
  CHECK(world.finder.known(test_url(), world.now));
}

TEST_CASE("without an application nothing is written") {
  ApplicationWorld world;
  world.edge.on(kApp, answer(403, {}, "no"));
  CHECK_FALSE(world.find());
  CHECK(world.state.names().empty());
  CHECK_FALSE(world.finder.known(test_url(), world.now));
}

TEST_CASE("an application that is only asked for is verified, and nothing is remembered") {
  ApplicationWorld world;
  // Keys that are remembered would verify this one.
  world.store_keys(foreign_key(), 0s);
  const auto before = world.state.names();
  CHECK(ask_application(world.send, test_url(), world.now).application == test_application());
  world.serve(foreign_key().sign(metadata_claims(world.now)));
  CHECK(error_of([&] { ask_application(world.send, test_url(), world.now); }).kind() ==
        ErrorKind::protocol);
  world.serve(team_key().sign(metadata_claims(world.now - 25h)));
  CHECK(error_of([&] { ask_application(world.send, test_url(), world.now); }).kind() ==
        ErrorKind::protocol);
  world.edge.on(kApp, answer(200));
  CHECK_FALSE(ask_application(world.send, test_url(), world.now).application);
  CHECK(world.state.names() == before);
}

TEST_CASE("the whole URL is asked, and its application remembered once") {
  ApplicationWorld world;
  for (const char* path : {"/a/b", "/a", "/c/"}) {
    const Url url = parse_url("vm.example.com" + std::string(path) + "?x=1");
    world.edge.on(
        "https://vm.example.com" + std::string(path),
        answer(200, {{"cf-access-metadata", team_key().sign(metadata_claims(world.now))}}));
    const auto application = world.finder.find(url, world.now).application;
    REQUIRE(application);
    CHECK(world.edge.last("https://vm.example.com" + std::string(path)).url.query == "x=1");
    CHECK(world.finder.known(url, world.now) == application);
  }
  CHECK(world.state.names() == std::vector<std::string>{kKeysFile, kRecord});
  CHECK(world.finder.known(test_url(), world.now));
}

TEST_CASE("an application inside another one is remembered beside it") {
  ApplicationWorld world;
  const auto serve = [&](const std::string& path, const char* defined) {
    auto claims = metadata_claims(world.now);
    claims.text("app_hostname", defined).text("aud", defined);
    world.edge.on("https://vm.example.com" + path,
                  answer(200, {{"cf-access-metadata", team_key().sign(claims)}}));
    REQUIRE(world.finder.find(parse_url("vm.example.com" + path), world.now).application);
  };
  const auto known = [&](const char* path) {
    const auto application =
        world.finder.known(parse_url("vm.example.com" + std::string(path)), world.now);
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

TEST_CASE("an application with a wildcard in its path has a record for each URL") {
  ApplicationWorld world;
  world.edge.on(
      "https://vm.example.com/api/v1",
      answer(200, {{"cf-access-metadata", team_key().sign(metadata_claims(world.now).text(
                                              "app_hostname", "vm.example.com/api/*"))}}));
  REQUIRE(world.finder.find(parse_url("vm.example.com/api/v1"), world.now).application);
  CHECK(world.finder.known(parse_url("vm.example.com/api/v1/"), world.now));
  CHECK_FALSE(world.finder.known(parse_url("vm.example.com/api/v1/a"), world.now));
  CHECK_FALSE(world.finder.known(parse_url("vm.example.com/api"), world.now));
}

TEST_CASE("a path too long for a file name is found and not remembered") {
  ApplicationWorld world;
  const std::string path = "/" + std::string(300, 'x');
  const Url url = parse_url("vm.example.com" + path);
  auto claims = metadata_claims(world.now);
  SUBCASE("as the application's own") {
    claims.text("app_hostname", "vm.example.com/" + std::string(100, 'x') + "*");
    world.edge.on(url.text(), answer(200, {{"cf-access-metadata", team_key().sign(claims)}}));
    CHECK(world.finder.find(url, world.now).application);
    CHECK_FALSE(world.finder.known(url, world.now));
    CHECK(world.state.names() == std::vector<std::string>{kKeysFile});
  }
  SUBCASE("but not as a page's of a known one") {
    world.edge.on(url.text(), answer(200, {{"cf-access-metadata", team_key().sign(claims)}}));
    CHECK(world.finder.find(url, world.now).application);
    CHECK(world.finder.known(url, world.now));
  }
}

TEST_CASE("a record of port 443 does not serve another port") {
  ApplicationWorld world;
  const Url url = parse_url("vm.example.com:8443");
  REQUIRE(world.find());
  CHECK_FALSE(world.finder.known(url, world.now));
  CHECK_FALSE(world.finder.recall(url));
  world.edge.on(url.text(),
                answer(302, {{"CF-Access-Metadata", team_key().sign(metadata_claims(world.now))}}));
  CHECK(world.finder.find(url, world.now).application == test_application());
  CHECK(world.finder.known(url, world.now) == test_application());
  CHECK(world.state.names() ==
        std::vector<std::string>{kKeysFile, kRecord, "vm.example.com:8443-app"});
  world.state.directory().remove(kRecord);
  CHECK_FALSE(world.finder.known(test_url(), world.now));
}

TEST_CASE("an application is at the ports of Cloudflare's edge, whatever is repeated elsewhere") {
  ApplicationWorld world;
  const std::string metadata = team_key().sign(metadata_claims(world.now));
  for (const int port : {443, 2053, 2083, 2087, 2096, 8443}) {
    const Url url = parse_url("vm.example.com:" + std::to_string(port));
    world.edge.on(url.text(), answer(200, {{"CF-Access-Metadata", metadata}}));
    CHECK(world.finder.find(url, world.now).application);
    CHECK(ask_application(world.send, url, world.now).application);
  }
  for (const int port : {1, 80, 444, 2052, 8080, 8444, 9443, 65535}) {
    CAPTURE(port);
    const Url url = parse_url("vm.example.com:" + std::to_string(port));
    world.edge.on(url.text(), answer(200, {{"CF-Access-Metadata", metadata}}));
    const auto before = world.state.names();
    CHECK(error_of([&] { world.finder.find(url, world.now); }).kind() == ErrorKind::protocol);
    CHECK(error_of([&] { ask_application(world.send, url, world.now); }).kind() ==
          ErrorKind::protocol);
    CHECK(world.state.names() == before);
    world.state.directory().write("vm.example.com:" + std::to_string(port) + "-app", metadata);
    CHECK_FALSE(world.finder.recall(url));
    world.edge.on(url.text(), answer(200));
    CHECK_FALSE(world.finder.find(url, world.now).application);
  }
}

TEST_CASE("the hostname must be the requested one") {
  ApplicationWorld world;
  world.check_refused(
      team_key().sign(metadata_claims(world.now).text("hostname", "a.example.com")));
  world.check_refused(team_key().sign(metadata_claims(world.now).without("hostname")));
  world.serve(team_key().sign(metadata_claims(world.now).text("hostname", "VM.Example.COM")));
  CHECK(world.find());
}

TEST_CASE("type and audience are checked") {
  ApplicationWorld world;
  world.check_refused(team_key().sign(metadata_claims(world.now).text("type", "bypass")));
  world.check_refused(team_key().sign(metadata_claims(world.now).without("type")));
  world.check_refused(team_key().sign(metadata_claims(world.now).text("aud", "")));
  world.check_refused(team_key().sign(metadata_claims(world.now).without("aud")));
  world.check_refused(team_key().sign(metadata_claims(world.now).raw("aud", "[\"x\"]")));
}

TEST_CASE("the time of issue is checked") {
  ApplicationWorld world;
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

TEST_CASE("an application on a path is not that of other paths of its host") {
  ApplicationWorld world;
  const auto found = [&](const std::string& path, const char* defined) {
    world.edge.on(
        "https://vm.example.com" + path,
        answer(200, {{"cf-access-metadata",
                      team_key().sign(metadata_claims(world.now).text("app_hostname", defined))}}));
    return world.finder.find(parse_url("vm.example.com" + path), world.now).application.has_value();
  };
  for (const char* defined :
       {"vm.example.com/admin", "*.example.com/admin", "vm.example.com/admin/"}) {
    CAPTURE(defined);
    CHECK(found("/admin", defined));
    CHECK(found("/admin/users", defined));
    for (const char* path : {"", "/", "/public", "/administration", "/x/admin"}) {
      CAPTURE(path);
      const Error error = error_of([&] { found(path, defined); });
      CHECK(error.kind() == ErrorKind::refused);
      CHECK(error.message().find(defined) != std::string::npos);
    }
  }
  for (const char* defined : {"vm.example.com/admin/*", "VM.example.com/Admin",
                              "*.example.com/*/users", "vm.example.com/adm*"}) {
    CAPTURE(defined);
    CHECK(found("/admin/users", defined));
    CHECK(error_of([&] { found("/public", defined); }).kind() == ErrorKind::refused);
  }
  // A team may describe an application of several hosts by the address of one.
  CHECK(found("/public", "other.example.com/admin"));
}

TEST_CASE("the application's own hostname names it") {
  ApplicationWorld world;
  world.serve(team_key().sign(metadata_claims(world.now).text("app_hostname", "*.example.com")));
  CHECK(world.find()->hostname == "*.example.com");
  for (const auto& claims : {metadata_claims(world.now).without("app_hostname"),
                             metadata_claims(world.now).text("app_hostname", "")}) {
    world.serve(team_key().sign(claims));
    CHECK(world.find()->hostname == kHost);
  }
}

TEST_CASE("claims that cannot be part of a file name are refused") {
  ApplicationWorld world;
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

TEST_CASE("a record is verified at each load") {
  ApplicationWorld world;
  REQUIRE(world.find());
  const auto remember = [&](const std::string& text) {
    world.state.directory().write(kRecord, text);
    return world.finder.known(test_url(), world.now);
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

TEST_CASE("a record is known for 24 hours, and may be recalled afterwards") {
  ApplicationWorld world;
  REQUIRE(world.find());
  const auto issued = [&](std::chrono::seconds ago) {
    world.state.directory().write(
        kRecord, team_key().sign(metadata_claims(world.now).time("iat", world.now - ago)));
    CHECK(world.finder.recall(test_url()) == test_application());
    return world.finder.known(test_url(), world.now).has_value();
  };
  world.edge.forget_requests();
  CHECK(issued(24h));
  CHECK_FALSE(issued(24h + 1s));
  CHECK_FALSE(issued(24h * 400));
  CHECK(issued(-5min));
  CHECK_FALSE(issued(-5min - 1s));
  for (const auto& claims :
       {metadata_claims(world.now).without("iat"), metadata_claims(world.now).text("iat", "1"),
        metadata_claims(world.now).number("iat", -1)}) {
    world.state.directory().write(kRecord, team_key().sign(claims));
    CHECK_FALSE(world.finder.known(test_url(), world.now));
  }
  CHECK(world.edge.requests().empty());
}

TEST_CASE("a record ages while the program runs, and is young again once the edge has answered") {
  ApplicationWorld world;
  REQUIRE(world.find());
  CHECK(world.finder.known(test_url(), world.now + 24h));
  const auto later = world.now + 24h + 1s;
  CHECK_FALSE(world.finder.known(test_url(), later));
  world.serve(team_key().sign(metadata_claims(later)));
  REQUIRE(world.finder.find(test_url(), later).application);
  CHECK(world.finder.known(test_url(), later));
}

TEST_CASE("a record counts while the keys that verify it are a day old at most") {
  ApplicationWorld world;
  REQUIRE(world.find());
  for (const auto& [age, is_known] : {std::pair{std::chrono::seconds(23h), true},
                                      {25h, false},
                                      {24h * 400, false},
                                      {-1h, false}}) {
    CAPTURE(age.count());
    world.state.set_age(kKeysFile, age);
    CHECK(world.finder.known(test_url(), world.now).has_value() == is_known);
    CHECK(world.finder.recall(test_url()));
  }
  world.state.directory().remove(kKeysFile);
  CHECK_FALSE(world.finder.known(test_url(), world.now));
  CHECK_FALSE(world.finder.recall(test_url()));
}

TEST_CASE("an old record hides that of the application around it until the edge has answered") {
  ApplicationWorld world;
  const Url url = parse_url("vm.example.com/admin");
  const auto claims = [&](const char* defined, std::chrono::seconds ago) {
    auto all = metadata_claims(world.now);
    all.text("app_hostname", defined).text("aud", defined).time("iat", world.now - ago);
    return team_key().sign(all);
  };
  REQUIRE(world.find());
  world.state.directory().write("vm.example.com-admin-app", claims("vm.example.com/admin", 25h));
  CHECK(world.finder.known(test_url(), world.now));
  CHECK_FALSE(world.finder.known(url, world.now));
  // The inner application is gone, and its record goes as well.
  world.edge.on(url.text(), answer(302, {{"CF-Access-Metadata", claims("vm.example.com", 0s)}}));
  REQUIRE(world.finder.find(url, world.now).application);
  CHECK(world.finder.known(url, world.now)->hostname == "vm.example.com");
  CHECK(world.state.names() == std::vector<std::string>{kKeysFile, kRecord});
}

TEST_CASE("an error of the network passes through") {
  ApplicationWorld world;
  world.edge.on(kCerts, [](const Request&) -> Response {
    throw Error(ErrorKind::network, "connecting: no route");
  });
  CHECK(error_of([&] { world.find(); }).kind() == ErrorKind::network);
  CHECK(world.state.names().empty());
}
