// Credentials of machines: service tokens and client certificates.
#include "access/testing/credentials.hpp"

using namespace mayfly;
using namespace mayfly::test;
using namespace mayfly::credentials_test;
using namespace std::chrono_literals;

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

TEST_CASE("a machine's token that cannot be stored is used if that is allowed") {
  World world;
  world.use_service_token();
  world.application = [&](const Request&) {
    return answer(404, {{"Set-Cookie", "CF_Authorization=" + world.service_token(kServiceId)}});
  };
  const auto none = StateDirectory::none(Error(ErrorKind::failed, "no room"));
  const auto obtain = [&] {
    return Credentials(none, world.edge.send(), world.prompt, world.options).obtain(test_url());
  };
  CHECK(error_of([&] { obtain(); }).kind() == ErrorKind::failed);
  world.options.storage = CredentialOptions::Storage::optional;
  CHECK(jwt_of(obtain()) == world.service_token(kServiceId));
  // What comes is checked as ever.
  world.application = [&](const Request&) {
    return answer(404, {{"Set-Cookie", "CF_Authorization=" + world.app_token + "x"}});
  };
  CHECK_FALSE(error_of([&] { obtain(); }).kind() == ErrorKind::failed);
  // A person's login is worth nothing when it is not kept.
  world.options.service_token.reset();
  world.application = [&](const Request&) { return redirect(kLogin); };
  CHECK(error_of([&] { obtain(); }).message() == "no room");
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

TEST_CASE("a refused client certificate leads to no login") {
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

TEST_CASE("a redirect of the origin leads to no login") {
  World world;
  world.use_certificate();
  for (const char* location :
       {"https://other.example.com/cdn-cgi/access/login/x",
        "https://evil.cloudflareaccess.com/cdn-cgi/access/login/vm.example.com"}) {
    CAPTURE(location);
    world.application = [&](const Request&) { return redirect(location); };
    const Grant grant = world.obtain();
    CHECK(grant.application);
    CHECK_FALSE(grant.token);
    CHECK(world.shown.empty());
  }
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

TEST_CASE("a cookie that would not come back to the application is not its token") {
  for (const char* attributes :
       {"; Domain=evil.example", "; Domain=com", "; Path=/cdn-cgi/access/", "; Path=/other"}) {
    CAPTURE(attributes);
    World world;
    world.use_certificate();
    world.application = [&](const Request&) {
      return answer(200, {{"Set-Cookie", "CF_Authorization=" + world.app_token + attributes}});
    };
    CHECK_FALSE(world.obtain().token);
    CHECK(world.state.content(kFile).empty());
  }
}
