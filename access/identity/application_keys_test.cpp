// The signature of an application's metadata, and the keys of the team that it is judged by.
#include <doctest/doctest.h>

#include "access/core/encoding.hpp"
#include "access/identity/application.hpp"
#include "access/testing/application.hpp"

using namespace mayfly;
using namespace mayfly::test;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

TEST_CASE("metadata that is not signed with RS256 is refused before anything else is asked") {
  ApplicationWorld world;
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
  ApplicationWorld world;
  for (const char* domain : {"evil.example", "evilcloudflareaccess.com",
                             "team.cloudflareaccess.com@evil.example", "evil.example/"}) {
    world.check_refused(team_key().sign(metadata_claims(world.now).text("auth_domain", domain)));
  }
  world.check_refused(team_key().sign(metadata_claims(world.now).without("auth_domain")));
  world.check_refused(team_key().sign(metadata_claims(world.now).number("auth_domain", 1)));
  CHECK(world.edge.requests().size() == world.edge.count(kApp));
}

TEST_CASE("the host of the auth domain alone is used") {
  ApplicationWorld world;
  world.serve(team_key().sign(
      metadata_claims(world.now).text("auth_domain", "x@TEAM.cloudflareaccess.com:8443/y")));
  const auto application = world.find();
  REQUIRE(application);
  CHECK(application->auth_domain == kTeam);
  CHECK(world.edge.count(kCerts) == 1);
}

TEST_CASE("a signature by another key is refused") {
  ApplicationWorld world;
  world.check_refused(foreign_key().sign(metadata_claims(world.now)));
  const SigningKey other("key-2");
  world.check_refused(other.sign(metadata_claims(world.now)));
  world.check_refused(team_key().sign(R"({"alg":"RS256"})", metadata_claims(world.now).json()));
}

TEST_CASE("an answer that is no key set is refused") {
  ApplicationWorld world;
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
  ApplicationWorld world;
  world.store_keys(team_key(), 24h - 5min);
  CHECK(world.find());
  CHECK(world.edge.count(kCerts) == 0);
  world.store_keys(team_key(), 24h + 5min);
  CHECK(world.find());
  CHECK(world.edge.count(kCerts) == 1);
}

TEST_CASE("keys that do not verify are fetched again once when older than a minute") {
  ApplicationWorld world;
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
  ApplicationWorld world;
  world.store_keys(foreign_key(), 30s);
  world.check_refused(team_key().sign(metadata_claims(world.now)));
  CHECK(world.edge.count(kCerts) == 0);
}

TEST_CASE("keys from the future, damaged or foreign to the tool are fetched again") {
  ApplicationWorld world;
  world.store_keys(foreign_key(), -24h);
  CHECK(world.find());
  CHECK(world.edge.count(kCerts) == 1);
  for (const char* content : {"", "{", "{\"keys\":[]}"}) {
    world.state.directory().write(kKeysFile, content);
    CHECK(world.find());
    CHECK(world.state.content(kKeysFile) == key_set({team_key().jwk()}));
  }
}
