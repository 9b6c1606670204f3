// The login page is told from other redirects.
#include "access/answer/login.hpp"

#include <doctest/doctest.h>

using namespace mayfly;

namespace {

const Url url = parse_url("vm.example.com/a");

bool leads(std::string location, int status = 302, std::string team = "") {
  return wants_login(url, status, {{"Location", std::move(location)}}, [&] { return team; });
}

}  // namespace

TEST_CASE("the login page is recognised by host and path") {
  const std::string page = "https://team.cloudflareaccess.com/cdn-cgi/access/login";
  CHECK(leads(page));
  CHECK(leads(page + "/vm.example.com?kid=1"));
  CHECK(leads("https://vm.example.com/cdn-cgi/access/login?x"));
  CHECK(leads("/cdn-cgi/access/login/vm.example.com"));
  for (const int status : {200, 301, 307, 403}) CHECK_FALSE(leads(page, status));
  for (const char* location :
       {"", "/", "https://[", "https://[/cdn-cgi/access/login",
        "https://evil.example/cdn-cgi/access/login",
        "https://evilcloudflareaccess.com/cdn-cgi/access/login", "https://vm.example.com/login",
        "http://vm.example.com/cdn-cgi/access/login", "/cdn-cgi/access/loginx",
        "/cdn-cgi/access/login/../logout", "/cdn-cgi/access/login/..%2flogout",
        "/cdn-cgi/access/login/..;/logout", "https://vm.example.com:8443/cdn-cgi/access/login"}) {
    CAPTURE(location);
    CHECK_FALSE(leads(location));
  }
}

TEST_CASE("another team's login page is not this application's") {
  const auto leads_to = [](std::string location) {
    return leads(std::move(location), 302, "team.cloudflareaccess.com");
  };
  CHECK(leads_to("https://team.cloudflareaccess.com/cdn-cgi/access/login/vm.example.com"));
  CHECK(leads_to("https://TEAM.cloudflareaccess.com/cdn-cgi/access/login/vm.example.com?kid=x"));
  CHECK(leads_to("/cdn-cgi/access/login"));
  for (const char* location :
       {"", "/", "/x/cdn-cgi/access/login", "https://vm.example.com/?/cdn-cgi/access/login",
        "http://team.cloudflareaccess.com/cdn-cgi/access/login",
        "https://evil.cloudflareaccess.com/cdn-cgi/access/login",
        "https://x.team.cloudflareaccess.com/cdn-cgi/access/login",
        "https://other.example.com/cdn-cgi/access/login/x",
        "https://team.cloudflareaccess.com:8443/cdn-cgi/access/login",
        "https://team.cloudflareaccess.com/x/cdn-cgi/access/login"}) {
    CAPTURE(location);
    CHECK_FALSE(leads_to(location));
  }
}
