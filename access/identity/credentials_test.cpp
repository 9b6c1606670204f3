#include "access/identity/credentials.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>

#include "access/core/encoding.hpp"
#include "access/identity/test_access.hpp"
#include "access/identity/test_tokens.hpp"

using namespace mayfly;
using namespace mayfly::test;
using namespace std::chrono_literals;

namespace {

constexpr auto kApp = "https://vm.example.com";
constexpr auto kCerts = "https://team.cloudflareaccess.com/cdn-cgi/access/certs";
constexpr auto kLogin = "https://team.cloudflareaccess.com/cdn-cgi/access/login/vm.example.com";
constexpr auto kAuthorized = "https://vm.example.com/cdn-cgi/access/authorized";
constexpr auto kOrgFile = "team.cloudflareaccess.com-org-token";
constexpr auto kFuture = "; Expires=Thu, 01 Jan 2099 00:00:00 GMT";
const std::string kFile = std::string(kHost) + "-" + std::string(kAudience) + "-token";
const std::string kServiceId = "88bf3b6d86161464f6509f7219099e57.access";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// An edge with one application, and a person in front of it.
struct World {
  TemporaryState state;
  ScriptedSend edge;
  std::chrono::sys_seconds now = system_now();
  CredentialOptions options;
  LoginPrompt prompt;
  std::vector<std::string> shown;
  std::string app_token = token("browser");
  std::string org_token = team_key().sign(org_claims(now));
  // What the application answers to anything but the metadata question.
  ScriptedSend::Answer application = [](const Request&) { return redirect(kLogin); };

  World() {
    options.transfer.pause = 1ms;
    options.machine_patience = 0ms;
    edge.on(kApp, [this](const Request& request) {
      if (request_header(request, "CF-Access-Metadata-Request").empty())
        return application(request);
      return answer(200, {{"CF-Access-Metadata", team_key().sign(metadata_claims(now))}});
    });
    edge.on(kCerts, answer(200, {}, key_set({team_key().jwk()})));
    edge.on(kLogin, answer(200, {}, "log in"));
    prompt.show = [this](const std::string& url) {
      shown.push_back(url);
      log_in(url);
    };
  }

  std::string token(std::string_view subject) const {
    return team_key().sign(app_claims(now).text("sub", subject));
  }
  std::string service_token(std::string_view common_name) const {
    return team_key().sign(app_claims(now).without("email").text("common_name", common_name));
  }
  void store(const std::string& name, const std::string& content) {
    state.directory().write(name, content);
  }
  // The person logs in: the transfer service seals both tokens for the key in the URL.
  void log_in(const std::string& page) {
    const std::string key = query_value(parse_url(page).query, "token");
    const auto receiver = base64_decode(key, Base64::url);
    REQUIRE(receiver);
    const std::string content =
        fmt::format(R"({{"app_token":"{}","org_token":"{}"}})", app_token, org_token);
    const BoxKeyPair sender = BoxKeyPair::generate();
    std::string sealed(crypto_box_NONCEBYTES + content.size() + crypto_box_MACBYTES, 'n');
    REQUIRE(crypto_box_easy(reinterpret_cast<unsigned char*>(sealed.data()) + crypto_box_NONCEBYTES,
                            bytes_of(content), content.size(), bytes_of(sealed),
                            bytes_of(*receiver), bytes_of(sender.secret_key.reveal())) == 0);
    edge.on("https://login.cloudflareaccess.org/transfer/" + key,
            answer(200, {{"service-public-key", base64_encode(sender.public_key, Base64::url)}},
                   base64_encode(sealed, Base64::standard)));
  }
  // The team's login page takes org tokens and grants this one.
  void grant_exchange(const std::string& granted) {
    edge.on(kLogin, redirect(kAuthorized));
    edge.on(kAuthorized, answer(302, {{"Set-Cookie", "CF_Authorization=" + granted + kFuture}}));
  }
  void use_service_token() {
    options.service_token = ServiceToken{kServiceId, Secret(std::string("hush"))};
  }
  void use_certificate() {
    options.client_certificate = CredentialOptions::ClientCertificate::present;
  }
  void forbid_login() { options.login = CredentialOptions::Login::never; }

  Credentials credentials() { return {state.directory(), edge.send(), prompt, options}; }
  Grant obtain() { return credentials().obtain(test_url()); }
  Error refusal() {
    return error_of([&] { obtain(); });
  }
  bool no_locks_left() const {
    const auto names = state.names();
    return std::none_of(names.begin(), names.end(), [](const std::string& name) {
      return name.ends_with(".lock") || name.ends_with(".url");
    });
  }
};

std::string jwt_of(const Grant& grant) {
  return grant.token ? std::string(grant.token->jwt.reveal()) : "";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a redirect to the login page is told from others") {
  const Url url = parse_url("vm.example.com/a");
  CHECK(is_login_redirect(url, 302, kLogin));
  CHECK(is_login_redirect(url, 302, "/cdn-cgi/access/login"));
  CHECK(is_login_redirect(url, 302, "/cdn-cgi/access/login/vm.example.com?kid=x"));
  CHECK_FALSE(is_login_redirect(url, 301, kLogin));
  CHECK_FALSE(is_login_redirect(url, 200, kLogin));
  for (const char* location :
       {"", "/", "/x/cdn-cgi/access/login", "https://vm.example.com/?/cdn-cgi/access/login",
        "http://team.cloudflareaccess.com/cdn-cgi/access/login", "https://[/cdn-cgi/access/login"})
    CHECK_FALSE(is_login_redirect(url, 302, location));
}

TEST_CASE("where no application is, nothing is needed") {
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

TEST_CASE("the wait for a login is told, its end too, and who logged in") {
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

TEST_CASE("where login is not allowed it is needed, at once") {
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

TEST_CASE("where login is not allowed an org token may still be exchanged") {
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

TEST_CASE("an accepted service token earns a token that is stored") {
  World world;
  world.use_service_token();
  world.application = [&](const Request& request) {
    CHECK(request.method == Request::Method::get);
    CHECK(request_header(request, "Cf-Access-Client-Id") == kServiceId);
    CHECK(request_header(request, "Cf-Access-Client-Secret") == "hush");
    return answer(404, {{"Set-Cookie", "CF_Authorization=" + world.service_token(kServiceId)}});
  };
  CHECK(jwt_of(world.obtain()) == world.service_token(kServiceId));
  CHECK(world.state.content(kFile) == world.service_token(kServiceId));
  CHECK(world.no_locks_left());
  CHECK(jwt_of(*world.credentials().known(test_url())) == world.service_token(kServiceId));
}

TEST_CASE("the origin's 403 with the cookie is no refusal") {
  World world;
  world.use_service_token();
  world.application = [&](const Request&) {
    return answer(403, {{"Set-Cookie", "CF_Authorization=" + world.service_token(kServiceId)}});
  };
  CHECK(world.obtain().token);
}

TEST_CASE("a service token only uses a stored token that it earned") {
  World world;
  world.obtain();
  const std::string bare = kServiceId.substr(0, kServiceId.find('.'));
  for (const std::string& id : {kServiceId, bare}) {
    world.options.service_token = ServiceToken{id, Secret(std::string("hush"))};
    for (const auto& [token, counts] :
         std::vector<std::pair<std::string, bool>>{{world.service_token(kServiceId), true},
                                                   {world.service_token(bare), true},
                                                   {world.service_token("another.access"), false},
                                                   {world.service_token(""), false},
                                                   {world.app_token, false}}) {
      world.store(kFile, token);
      CHECK(world.credentials().known(test_url()).has_value() == counts);
    }
  }
  world.options.service_token = ServiceToken{".access", Secret(std::string("hush"))};
  world.store(kFile, world.app_token);
  CHECK_FALSE(world.credentials().known(test_url()));
  world.options.service_token.reset();
  world.store(kFile, world.service_token(kServiceId));
  CHECK(world.credentials().known(test_url()));
}

TEST_CASE("a refused service token never leads to a browser or an exchange") {
  World world;
  world.use_service_token();
  world.store(kOrgFile, world.org_token);
  world.grant_exchange(world.token("exchanged"));
  for (const Response& response :
       {answer(403, {{"CF-Ray", "x"}}, "Forbidden"), answer(401), redirect(kLogin),
        redirect(kLogin, {{"Set-Cookie", "CF_Authorization=" + world.service_token(kServiceId)}}),
        answer(403,
               {{"Set-Cookie", "CF_Authorization=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}})}) {
    world.application = [&](const Request&) { return response; };
    const Error error = world.refusal();
    CHECK(error.kind() == ErrorKind::refused);
    CHECK(contains(error.message(), "vm.example.com"));
    CHECK(contains(error.hint(), "Service Auth"));
    CHECK_FALSE(contains(error.message() + error.hint(), "hush"));
    CHECK(world.shown.empty());
    CHECK(world.edge.count(kLogin) == 0);
    CHECK(world.state.content(kFile).empty());
    CHECK(world.no_locks_left());
  }
}

TEST_CASE("a service token that is accepted without a cookie grants no token") {
  World world;
  world.use_service_token();
  for (const int status : {200, 404, 502, 302}) {
    world.application = [&](const Request&) {
      return answer(status, {{"Location", "https://vm.example.com/welcome"}});
    };
    const Grant grant = world.obtain();
    CHECK(grant.application);
    CHECK_FALSE(grant.token);
  }
  CHECK(world.state.content(kFile).empty());
}

TEST_CASE("a cookie that is being taken away is no token") {
  World world;
  world.use_service_token();
  world.application = [&](const Request&) {
    return answer(200, {{"Set-Cookie", "CF_Authorization=" + world.service_token(kServiceId) +
                                           "; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}});
  };
  CHECK_FALSE(world.obtain().token);
  CHECK(world.state.content(kFile).empty());
}

TEST_CASE("a cookie for another application is not stored") {
  World world;
  world.use_service_token();
  world.application = [&](const Request&) {
    return answer(
        200, {{"Set-Cookie",
               "CF_Authorization=" + team_key().sign(app_claims(world.now).text("aud", "x"))}});
  };
  CHECK(world.refusal().kind() == ErrorKind::protocol);
  CHECK(world.state.content(kFile).empty());
}

TEST_CASE("a service token does not wait for a person's login") {
  World world;
  world.use_service_token();
  world.options.machine_patience = 1h;
  auto other = wait_for_login_lock(world.state.directory(), kFile, {});
  REQUIRE(other);
  other->publish_url("https://vm.example.com/other");
  world.application = [](const Request&) { return answer(403); };
  CHECK(world.refusal().kind() == ErrorKind::refused);
  CHECK(world.state.content(kFile + ".lock") != "");
}

TEST_CASE("a client certificate earns a token") {
  World world;
  world.use_certificate();
  world.application = [&](const Request& request) {
    CHECK(request.headers.empty());
    return answer(200, {{"Set-Cookie", "CF_Authorization=" + world.token("device")}});
  };
  CHECK(jwt_of(world.obtain()) == world.token("device"));
  CHECK(world.state.content(kFile) == world.token("device"));
}

TEST_CASE("a client certificate with No Duration grants no token") {
  World world;
  world.use_certificate();
  world.application = [](const Request&) { return answer(200); };
  const Grant grant = world.obtain();
  CHECK(grant.application);
  CHECK_FALSE(grant.token);
  CHECK(world.shown.empty());
  CHECK(world.state.content(kFile).empty());
}

TEST_CASE("a client certificate that is refused leads nowhere") {
  World world;
  world.use_certificate();
  world.application = [](const Request&) { return answer(403); };
  CHECK(world.refusal().kind() == ErrorKind::refused);
  CHECK(world.shown.empty());
}

TEST_CASE("a refused client certificate is described") {
  World world;
  world.use_certificate();
  world.application = [](const Request&) {
    Response response = answer(403);
    response.certificate_request = {
        .asked = true, .sent = "\"CN=device\"", .acceptable_issuers = {"CN=root"}};
    return response;
  };
  const Error error = world.refusal();
  CHECK(contains(error.message(), "CN=device"));
  CHECK(contains(error.message(), "CN=root"));
}

TEST_CASE("a client certificate where an identity is wanted too leads to the login") {
  World world;
  world.use_certificate();
  SUBCASE("by browser") {
    CHECK(jwt_of(world.obtain()) == world.app_token);
    CHECK(world.shown.size() == 1);
  }
  SUBCASE("by exchange") {
    world.store(kOrgFile, world.org_token);
    world.grant_exchange(world.token("exchanged"));
    CHECK(jwt_of(world.obtain()) == world.token("exchanged"));
    CHECK(world.shown.empty());
  }
  SUBCASE("which is not allowed") {
    world.forbid_login();
    CHECK(world.refusal().kind() == ErrorKind::login_needed);
  }
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
  world.edge.on("https://vm.example.com/admin", [&](const Request&) {
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

TEST_CASE("only a redirect to the login page means that the edge does not take a token") {
  World world;
  const Grant grant = world.obtain();
  const auto accepted = [&](ScriptedSend::Answer answer) {
    world.application = std::move(answer);
    return world.credentials().accepted_at_edge(parse_url("vm.example.com?a=1"), *grant.token);
  };
  CHECK_FALSE(accepted([&](const Request& request) {
    CHECK(request.method == Request::Method::get);
    CHECK(request.url.query == "a=1&cloudflared_token_check=true");
    CHECK(request_header(request, "Cf-Access-Token") == world.app_token);
    CHECK(request.timeout == 5s);
    return redirect(kLogin);
  }));
  for (const Response& response :
       {answer(200), answer(403), answer(502), answer(500), redirect("/elsewhere"), redirect("")})
    CHECK(accepted([&](const Request&) { return response; }));
  for (const ErrorKind kind : {ErrorKind::network, ErrorKind::protocol})
    CHECK(accepted([&](const Request&) -> Response { throw Error(kind, "slow"); }));
  CHECK_THROWS_AS(accepted([](const Request&) -> Response {
                    throw Error(ErrorKind::login_needed, "interrupted");
                  }),
                  Error);
}
