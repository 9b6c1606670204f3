#include "access/identity/exchange.hpp"

#include <doctest/doctest.h>

#include "access/testing/access.hpp"
#include "access/testing/tokens.hpp"

using namespace mayfly;
using namespace mayfly::test;
using namespace std::chrono_literals;

namespace {

constexpr auto kApp = "https://vm.example.com";
constexpr auto kLogin = "https://team.cloudflareaccess.com/cdn-cgi/access/login/vm.example.com";
constexpr auto kAuthorized = "https://vm.example.com/cdn-cgi/access/authorized";
constexpr auto kFuture = "; Path=/; Secure; HttpOnly; Expires=Thu, 01 Jan 2099 00:00:00 GMT";

struct Exchange {
  ScriptedSend edge;
  std::chrono::sys_seconds now = system_now();
  std::function<void()> before = [] {};
  std::string org = team_key().sign(org_claims(now));
  std::string app = team_key().sign(app_claims(now));

  Exchange() {
    edge.on(kApp, redirect(std::string(kLogin) + "?kid=x&meta=y",
                           {{"Set-Cookie", "CF_AppSession=sess10n; Secure; HttpOnly"}}));
    edge.on(kLogin, redirect(std::string(kAuthorized) + "?nonce=1"));
    grant(app + kFuture);
  }
  void grant(const std::string& cookie) {
    edge.on(kAuthorized,
            redirect("https://vm.example.com/", {{"Set-Cookie", "CF_Authorization=" + cookie}}));
  }
  std::optional<Secret> run(const Url& url = test_url()) {
    edge.forget_requests();
    return exchange_org_token(edge.send(), {url, test_application(), Secret(org), now, before});
  }
  // How many requests carried the org token, which may go to the login page only.
  int org_token_sent() const {
    int sent = 0;
    for (const Request& request : edge.requests()) {
      for (const auto& header : request.headers)
        if (header.value.find(org) != std::string::npos) {
          ++sent;
          CHECK(request.url.host == kTeam);
          CHECK(request.url.port == 443);
          CHECK(request.url.path.starts_with("/cdn-cgi/access/login"));
        }
      CHECK(request.url.text().find(org) == std::string::npos);
    }
    return sent;
  }
};

}  // namespace

TEST_CASE("an org token is exchanged in three requests") {
  Exchange exchange;
  const auto token = exchange.run();
  REQUIRE(token);
  CHECK(token->reveal() == exchange.app);

  REQUIRE(exchange.edge.requests().size() == 3);
  for (const Request& request : exchange.edge.requests()) {
    CHECK(request.method == Request::Method::head);
    CHECK(request.timeout == 7s);
  }
  // Managed OAuth answers a client that is no browser by a 401 (docs/protocol.md section 6).
  CHECK(exchange.edge.requests()[0].headers == Headers{{"Accept", "text/html"}});
  CHECK(exchange.edge.requests()[1].url.query == "kid=x&meta=y");
  CHECK(request_header(exchange.edge.requests()[1], "Cookie") ==
        "CF_Authorization=" + exchange.org);
  CHECK(exchange.edge.requests()[1].headers.size() == 1);
  CHECK(exchange.edge.requests()[2].url.query == "nonce=1");
  CHECK(request_header(exchange.edge.requests()[2], "Cookie") == "CF_AppSession=sess10n");
  CHECK(exchange.edge.requests()[2].headers.size() == 1);
  CHECK(exchange.org_token_sent() == 1);
}

TEST_CASE("an exchange ends before the request that may not be sent") {
  for (const std::size_t allowed : {0, 1, 2}) {
    CAPTURE(allowed);
    Exchange exchange;
    std::size_t asked = 0;
    exchange.before = [&] {
      if (asked++ == allowed) throw Error(ErrorKind::login_needed, "logged out");
    };
    CHECK(error_of([&] { exchange.run(); }).kind() == ErrorKind::login_needed);
    CHECK(exchange.edge.requests().size() == allowed);
  }
}

TEST_CASE("the org token goes to the team's login page over https and nowhere else") {
  for (const char* location :
       {"http://team.cloudflareaccess.com/cdn-cgi/access/login/vm.example.com",
        "https://evil.example/cdn-cgi/access/login/vm.example.com",
        "https://other.cloudflareaccess.com/cdn-cgi/access/login/vm.example.com",
        "https://team.cloudflareaccess.com.evil.example/cdn-cgi/access/login/x",
        "https://team.cloudflareaccess.com@evil.example/cdn-cgi/access/login/x",
        "https://team.cloudflareaccess.com:8443/cdn-cgi/access/login/x",
        "https://team.cloudflareaccess.com/x/cdn-cgi/access/login/x",
        "https://team.cloudflareaccess.com/cdn-cgi/access/loginx",
        "https://team.cloudflareaccess.com/cdn-cgi/access/login/../evil",
        "https://team.cloudflareaccess.com/cdn-cgi/access/login/%2E%2e/evil",
        "https://team.cloudflareaccess.com/cdn-cgi/access/login/..%2fcli?token=theirs",
        "https://team.cloudflareaccess.com/cdn-cgi/access/login/%2e%2e%2Fcli?token=theirs",
        "https://team.cloudflareaccess.com/cdn-cgi/access/login/..%5ccli?token=theirs",
        "https://team.cloudflareaccess.com/cdn-cgi/access/login/%252e%252e%252fcli?token=theirs",
        "https://team.cloudflareaccess.com/cdn-cgi/access/login/..;/cli?token=theirs",
        "https://team.cloudflareaccess.com/?/cdn-cgi/access/login",
        "//evil.example/cdn-cgi/access/login",
        "/cdn-cgi/access/login/vm.example.com",
        "",
        "https://[/"}) {
    CAPTURE(location);
    Exchange exchange;
    exchange.edge.on(kApp, redirect(location));
    CHECK_FALSE(exchange.run());
    CHECK(exchange.edge.requests().size() == 1);
    CHECK(exchange.org_token_sent() == 0);
  }
}

TEST_CASE("only a 302 leads to the login page") {
  for (const int status : {200, 301, 303, 307, 308, 403, 502}) {
    Exchange exchange;
    exchange.edge.on(kApp, answer(status, {{"Location", kLogin}}));
    CHECK_FALSE(exchange.run());
    CHECK(exchange.org_token_sent() == 0);
  }
}

TEST_CASE("the session goes to the application's authorized page and nowhere else") {
  for (const char* location :
       {"http://vm.example.com/cdn-cgi/access/authorized?nonce=1",
        "https://evil.example/cdn-cgi/access/authorized?nonce=1",
        "https://a.vm.example.com/cdn-cgi/access/authorized",
        "https://vm.example.com:444/cdn-cgi/access/authorized", "https://vm.example.com/",
        "https://vm.example.com/cdn-cgi/access/authorizedx",
        "https://vm.example.com/cdn-cgi/access/authorized/%2e%2E/x",
        "https://vm.example.com/cdn-cgi/access/authorized/..%2fcli",
        "/cdn-cgi/access/authorized",  // on the team domain
        "https://team.cloudflareaccess.com/cdn-cgi/access/login/vm.example.com", ""}) {
    CAPTURE(location);
    Exchange exchange;
    exchange.edge.on(kLogin, redirect(location));
    CHECK_FALSE(exchange.run());
    CHECK(exchange.edge.requests().size() == 2);
    CHECK(exchange.org_token_sent() == 1);
  }
}

TEST_CASE("a login page that shows itself does not grant") {
  Exchange exchange;
  exchange.edge.on(kLogin, answer(200, {}, "log in"));
  CHECK_FALSE(exchange.run());
}

TEST_CASE("a port other than 443 is kept or left") {
  for (const char* port : {"", ":8443"}) {
    Exchange exchange;
    const std::string own = "https://vm.example.com:8443";
    exchange.edge.on(own, redirect(kLogin));
    const std::string authorized =
        "https://vm.example.com" + std::string(port) + "/cdn-cgi/access/authorized";
    exchange.edge.on(kLogin, redirect(authorized));
    exchange.edge.on(authorized,
                     answer(302, {{"Set-Cookie", "CF_Authorization=" + exchange.app + kFuture}}));
    CHECK(exchange.run(parse_url("vm.example.com:8443")));
  }
}

TEST_CASE("without a session cookie none is sent") {
  Exchange exchange;
  exchange.edge.on(kApp, redirect(kLogin));
  CHECK(exchange.run());
  CHECK(exchange.edge.last(kAuthorized).headers.empty());
}

TEST_CASE("only a token for this application with an expiry in the future is granted") {
  Exchange exchange;
  const auto sign = [](const Claims& claims) { return team_key().sign(claims); };
  const std::string past = "; Expires=Thu, 01 Jan 1970 00:00:01 GMT";
  for (const std::string& cookie : std::vector<std::string>{
           exchange.app, exchange.app + past, exchange.app + "; Max-Age=0", kFuture, "junk",
           "junk" + std::string(kFuture),
           sign(app_claims(exchange.now).text("aud", "other")) + kFuture,
           sign(app_claims(exchange.now).time("exp", exchange.now)) + kFuture,
           sign(app_claims(exchange.now).text("iss", "https://x.cloudflareaccess.com")) + kFuture,
           team_key().sign(R"({"alg":"HS256"})", app_claims(exchange.now).json()) + kFuture,
           exchange.org + kFuture}) {
    CAPTURE(cookie);
    exchange.grant(cookie);
    CHECK_FALSE(exchange.run());
  }
  exchange.edge.on(kAuthorized, answer(403));
  CHECK_FALSE(exchange.run());
}

TEST_CASE("an error of the network is not a refusal") {
  Exchange exchange;
  exchange.edge.on(kLogin,
                   [](const Request&) -> Response { throw Error(ErrorKind::network, "reset"); });
  CHECK(error_of([&] { exchange.run(); }).kind() == ErrorKind::network);
}

// RFC 6265 sections 5.1.3 and 5.1.4: a browser would not send it to the application.
TEST_CASE("a cookie for elsewhere is no token of the application") {
  Exchange exchange;
  for (const char* attributes : {"; Path=/cdn-cgi/access/", "; Path=/other",
                                 "; Domain=evil.example", "; Domain=team.cloudflareaccess.com"}) {
    CAPTURE(attributes);
    exchange.grant(exchange.app + "; Expires=Thu, 01 Jan 2099 00:00:00 GMT" + attributes);
    CHECK_FALSE(exchange.run());
  }
  exchange.grant(exchange.app + "; Expires=Thu, 01 Jan 2099 00:00:00 GMT; Domain=example.com");
  CHECK(exchange.run());
}

TEST_CASE("a session cookie for elsewhere, or one that has expired, is not sent") {
  Exchange exchange;
  const std::pair<const char*, bool> table[] = {
      {"; Path=/", true},       {"; Path=/cdn-cgi/access", true},
      {"; Path=/other", false}, {"; Domain=evil.example", false},
      {"; Max-Age=0", false},   {"; Expires=Thu, 01 Jan 1970 00:00:00 GMT", false},
      {"; Max-Age=60", true},
  };
  for (const auto& [attributes, is_sent] : table) {
    CAPTURE(attributes);
    exchange.edge.on(
        kApp, redirect(kLogin, {{"Set-Cookie", "CF_AppSession=s" + std::string(attributes)}}));
    exchange.run();
    CHECK(request_header(exchange.edge.last(kAuthorized), "Cookie").empty() != is_sent);
  }
}
