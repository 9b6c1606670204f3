#include "access/identity/oauth_store.hpp"

#include <doctest/doctest.h>

#include "access/testing/access.hpp"
#include "access/testing/tokens.hpp"

namespace mayfly {
namespace {

using namespace mayfly::test;

OauthGrant some_grant() {
  return {.origin = "https://vm.example.com",
          .application = test_application(),
          .client = "client",
          .resource = "https://vm.example.com",
          .token = parse_url("https://team.cloudflareaccess.com/cdn-cgi/access/oauth/token"),
          .revocation = parse_url("https://team.cloudflareaccess.com/cdn-cgi/access/oauth/revoke"),
          .tokens = {.access = Secret(std::string("oauth:a")),
                     .refresh = Secret(std::string("oauth:r")),
                     .expires = system_now()}};
}

TEST_CASE("oauth store: a grant comes back as it was stored") {
  const TemporaryState state;
  save_oauth_grant(state.directory(), some_grant());
  CHECK(state.names() == std::vector<std::string>{"vm.example.com-oauth-grant"});
  const auto grant = load_oauth_grant(state.directory(), test_url(), test_application());
  REQUIRE(grant);
  CHECK(grant->tokens.refresh.reveal() == "oauth:r");
  CHECK(grant->tokens.expires == some_grant().tokens.expires);
  CHECK(grant->revocation == some_grant().revocation);
}

TEST_CASE("oauth store: a grant belongs to one host and port, application and team") {
  const TemporaryState state;
  save_oauth_grant(state.directory(), some_grant());
  Application other = test_application();
  other.audience = std::string(64, '0');
  CHECK_FALSE(load_oauth_grant(state.directory(), test_url(), other));
  other = test_application();
  other.auth_domain = "other.cloudflareaccess.com";
  CHECK_FALSE(load_oauth_grant(state.directory(), test_url(), other));
  Url port = test_url();
  port.port = 8443;
  CHECK_FALSE(load_oauth_grant(state.directory(), port, test_application()));
  // The file of another port, in the place of this one.
  state.directory().write("vm.example.com:8443-oauth-grant",
                          state.content("vm.example.com-oauth-grant"));
  CHECK_FALSE(load_oauth_grant(state.directory(), port, test_application()));
}

TEST_CASE("oauth store: an endpoint of another server makes the file useless") {
  for (const char* endpoint : {"https://evil.example/cdn-cgi/access/oauth/token",
                               "https://team.cloudflareaccess.com/cdn-cgi/access/cli", ""}) {
    const TemporaryState state;
    OauthGrant grant = some_grant();
    grant.token = *endpoint == '\0' ? Url{} : parse_url(endpoint);
    save_oauth_grant(state.directory(), grant);
    CHECK_FALSE(load_oauth_grant(state.directory(), test_url(), test_application()));
  }
}

TEST_CASE("oauth store: a grant that another process has renewed stays") {
  const TemporaryState state;
  OauthGrant renewed = some_grant();
  renewed.tokens.refresh = Secret(std::string("oauth:new"));
  save_oauth_grant(state.directory(), renewed);
  remove_oauth_grant(state.directory(), some_grant());
  CHECK(load_oauth_grant(state.directory(), test_url(), test_application()));
  remove_oauth_grant(state.directory(), renewed);
  CHECK_FALSE(load_oauth_grant(state.directory(), test_url(), test_application()));
}

TEST_CASE("oauth store: a registration belongs to one server") {
  const TemporaryState state;
  const auto team = "https://team.cloudflareaccess.com";
  save_oauth_client(state.directory(), test_url(), test_application(), team, "client");
  const auto load = [&](const char* issuer) {
    return load_oauth_client(state.directory(), test_url(), test_application(), issuer);
  };
  CHECK(load(team) == "client");
  CHECK_FALSE(load("https://vm.example.com"));
}

}  // namespace
}  // namespace mayfly
