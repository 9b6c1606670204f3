#include "access/identity/oauth.hpp"

#include <doctest/doctest.h>

#include <string>

#include "access/testing/access.hpp"
#include "access/testing/tokens.hpp"

namespace mayfly {
namespace {

using namespace mayfly::test;

constexpr auto team = "https://team.cloudflareaccess.com";
constexpr auto document = "https://vm.example.com/.well-known/cloudflare-access-protected-resource";
constexpr auto metadata =
    "https://team.cloudflareaccess.com/.well-known/oauth-authorization-server";
constexpr auto token_endpoint = "https://team.cloudflareaccess.com/cdn-cgi/access/oauth/token";

Application application() {
  return {std::string(kTeam), std::string(kAudience), std::string(kHost)};
}

// The members that Access sends (docs/protocol.md section 6), with one of them changed.
std::string resource_document(const std::string& name = "", const std::string& value = "") {
  const auto member = [&](const char* own, const std::string& usual) {
    return std::string("\"") + own + "\":" + (name == own ? value : usual);
  };
  return "{" + member("resource", "\"https://vm.example.com\"") + "," +
         member("team_domain", "\"team.cloudflareaccess.com\"") + "," +
         member("authorization_servers", "[\"https://team.cloudflareaccess.com\"]") + "," +
         member("authentication_methods", R"([{"name":"cloudflared"}])") + "}";
}

std::string server_document(const std::string& name = "", const std::string& value = "") {
  const auto member = [&](const char* own, const std::string& usual) {
    return std::string("\"") + own + "\":" + (name == own ? value : usual);
  };
  const std::string at = std::string("\"") + team + "/cdn-cgi/access/oauth/";
  return "{" + member("issuer", std::string("\"") + team + "\"") + "," +
         member("authorization_endpoint", at + "authorization\"") + "," +
         member("token_endpoint", at + "token\"") + "," +
         member("registration_endpoint", at + "registration\"") + "," +
         member("revocation_endpoint", at + "revoke\"") + "," +
         member("code_challenge_methods_supported", "[\"S256\"]") + "}";
}

struct World {
  ScriptedSend edge;

  std::optional<OauthResource> resource(const std::string& body) {
    edge.on(document, answer(200, {}, body));
    return ask_resource(edge.send(), test_url(), application());
  }
  OauthServer server(const std::string& body) {
    edge.on(metadata, answer(200, {}, body));
    return ask_server(edge.send(), test_url(), application(), team);
  }
};

TEST_CASE("oauth: the document of an application, and of its server") {
  World world;
  const auto resource = world.resource(resource_document());
  REQUIRE(resource);
  CHECK(resource->issuer == team);
  CHECK(resource->has_other_login);
  CHECK_FALSE(world.resource(resource_document("authentication_methods", "[]"))->has_other_login);
  const OauthServer server = world.server(server_document());
  CHECK(server.token.text() == token_endpoint);
  CHECK_FALSE(server.names_itself);
  CHECK_NOTHROW(world.server(server_document("issuer", "\"team.cloudflareaccess.com\"")));
}

TEST_CASE("oauth: a document about another resource, team or server is refused") {
  World world;
  const auto refused = [&](const char* name, const std::string& value) {
    return error_of([&] { world.resource(resource_document(name, value)); }).kind() ==
           ErrorKind::protocol;
  };
  CHECK(refused("resource", "\"https://other.example.com\""));
  CHECK(refused("resource", "\"https://vm.example.com:8443\""));
  CHECK(refused("resource", "\"https://vm.example.com/elsewhere\""));
  CHECK(refused("resource", "\"http://vm.example.com\""));
  CHECK(refused("resource", "\"https://u@vm.example.com\""));
  CHECK(refused("team_domain", "\"other.cloudflareaccess.com\""));
  CHECK(refused("authorization_servers", "[\"https://evil.example\"]"));
  CHECK(refused("authorization_servers", "[\"https://other.cloudflareaccess.com\"]"));
  CHECK(refused("authorization_servers", "[]"));
  world.edge.on(document, answer(404));
  CHECK_FALSE(ask_resource(world.edge.send(), test_url(), application()));
}

TEST_CASE("oauth: an endpoint is a page of the server itself, below Access's own path for it") {
  World world;
  for (const char* name :
       {"authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint"})
    for (const char* value :
         {"\"https://evil.example/cdn-cgi/access/oauth/x\"", "7",
          "\"https://other.cloudflareaccess.com/cdn-cgi/access/oauth/x\"",
          "\"https://vm.example.com/cdn-cgi/access/oauth/x\"",
          "\"https://team.cloudflareaccess.com/cdn-cgi/access/cli\"",
          "\"https://team.cloudflareaccess.com/cdn-cgi/access/oauth/../cli\"",
          "\"https://team.cloudflareaccess.com/cdn-cgi/access/oauth/..%2fcli\"",
          "\"https://team.cloudflareaccess.com/cdn-cgi/access/oauth/x?token=y\"",
          "\"https://team.cloudflareaccess.com:8443/cdn-cgi/access/oauth/x\"",
          "\"http://team.cloudflareaccess.com/cdn-cgi/access/oauth/x\""}) {
      CAPTURE(name);
      CAPTURE(value);
      CHECK(error_of([&] { world.server(server_document(name, value)); }).kind() ==
            ErrorKind::protocol);
    }
}

TEST_CASE("oauth: a server of another issuer, or without proof keys, is refused") {
  World world;
  const auto refused = [&](const char* name, const char* value) {
    return error_of([&] { world.server(server_document(name, value)); }).kind() ==
           ErrorKind::protocol;
  };
  CHECK(refused("issuer", "\"https://evil.example\""));
  CHECK(refused("issuer", "\"https://team.cloudflareaccess.com/\""));
  CHECK(refused("code_challenge_methods_supported", "[\"plain\"]"));
  CHECK(refused("code_challenge_methods_supported", "null"));
}

TEST_CASE("oauth: the challenge of RFC 7636, appendix B") {
  CHECK(challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") ==
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

TEST_CASE("oauth: each proof key is new, and begins as Access wants it") {
  std::string last;
  for (int i = 0; i < 500; ++i) {
    const ProofKey key = make_proof_key();
    CHECK(key.challenge == challenge_of(key.verifier.reveal()));
    CHECK(key.challenge.front() != '-');
    CHECK(key.challenge.front() != '_');
    CHECK(key.challenge != last);
    CHECK(key.verifier.size() == 43);
    last = key.challenge;
  }
}

std::optional<OauthTokens> refreshed(World& world, Response response) {
  world.edge.on(token_endpoint, std::move(response));
  return refresh_tokens({world.edge.send()}, parse_url(token_endpoint),
                        {.client = "c",
                         .redirect_uri = "",
                         .resource = "https://vm.example.com",
                         .code = Secret(),
                         .verifier = Secret()},
                        Secret(std::string("old")), system_now());
}

TEST_CASE("oauth: tokens, and answers that are none") {
  World world;
  const auto tokens = refreshed(
      world, answer(200, {}, R"({"access_token":"oauth:a","token_type":"Bearer","expires_in":900,
                              "refresh_token":"oauth:r"})"));
  REQUIRE(tokens);
  CHECK(tokens->access.reveal() == "oauth:a");
  CHECK(tokens->refresh.reveal() == "oauth:r");
  CHECK(world.edge.last(token_endpoint).body ==
        "grant_type=refresh_token&refresh_token=old&client_id=c&resource=https%3A%2F%2Fvm.example."
        "com");
  for (const char* body :
       {"", "{}", R"({"access_token":"a"})", R"({"access_token":"a","token_type":"mac"})",
        R"({"access_token":"a\r\nX: y","token_type":"bearer"})",
        R"({"access_token":"a b","token_type":"bearer"})",
        R"({"access_token":"","token_type":"bearer"})",
        R"({"access_token":"a","token_type":"bearer","refresh_token":"\n"})"})
    CHECK(error_of([&] { refreshed(world, answer(200, {}, body)); }).kind() == ErrorKind::protocol);
}

TEST_CASE("oauth: a refresh token that the server does not take") {
  World world;
  for (const char* error : {"invalid_grant", "invalid_client", "unauthorized_client"})
    CHECK_FALSE(refreshed(world, answer(400, {}, std::string(R"({"error":")") + error + "\"}")));
  CHECK(error_of([&] {
          refreshed(world, answer(400, {}, R"({"error":"invalid_target"})"));
        }).kind() == ErrorKind::refused);
  CHECK(error_of([&] { refreshed(world, answer(500)); }).kind() == ErrorKind::network);
}

}  // namespace
}  // namespace mayfly
