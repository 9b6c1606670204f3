#include "access/identity/person.hpp"

#include <doctest/doctest.h>

#include "access/testing/access.hpp"

namespace mayfly {
namespace {

using namespace mayfly::test;

constexpr auto identity_url = "https://team.cloudflareaccess.com/cdn-cgi/access/get-identity";
constexpr auto logout_url = "https://team.cloudflareaccess.com/cdn-cgi/access/logout";

// The members are those of Cloudflare's documentation (Access, application token, "User identity").
constexpr auto documented = R"({"id":"P51Tuu01fWHMBjIBvrCK1lK-eUDWs2aQMv03WDqT5oY",
  "name":"John Doe","email":"john.doe@cloudflare.com","amr":["pwd"],
  "groups":["Contractors",{"id":"7","name":"Engineering"},5,{}],
  "idp":{"id":"f174e90a-fafe-4643-bbbc-4a0ed4fc8415","type":"azureAD"},
  "geo":{"country":"US"},"user_uuid":"57cf8cf2","account_id":"fac8826b","iat":1659474457,
  "devicePosture":{"37ac4c05":{"id":"37ac4c05","type":"firewall","rule_name":"Firewall on",
    "success":false},"b9bd5ea4":{"type":"warp","success":true},"x":7},"service_token_status":false})";

struct World {
  ScriptedSend edge;
  Secret token{std::string("the.org.token")};
  PersonToken question{parse_url("https://team.cloudflareaccess.com"), token};

  std::optional<Person> ask(Response response) {
    edge.on(identity_url, std::move(response));
    return ask_person(edge.send(), question);
  }
};

TEST_CASE("person: the identity that Access tells") {
  World world;
  const auto person = world.ask(answer(200, {}, documented));
  REQUIRE(person);
  CHECK(person->email == "john.doe@cloudflare.com");
  CHECK(person->groups == std::vector<std::string>{"Contractors", "Engineering"});
  CHECK(person->text() ==
        "john.doe@cloudflare.com (John Doe), by azureAD, in the groups Contractors, Engineering; "
        "device posture: Firewall on failed, warp passed");
  const Request& request = world.edge.last(identity_url);
  CHECK(request_header(request, "Cookie") == "CF_Authorization=the.org.token");
}

TEST_CASE("person: a machine") {
  const auto person = read_person(R"({"email":"","service_token_id":"0123.access"})");
  REQUIRE(person);
  CHECK(person->text() == "0123.access, in no group");
}

TEST_CASE("person: no control character of the answer is shown") {
  const auto person =
      read_person("{\"email\":\"a\\u001b[31m@example.com\",\"groups\":[\"\\u202e\"]}");
  REQUIRE(person);
  CHECK(person->text().find('\x1b') == std::string::npos);
  CHECK(person->text().find("\xe2\x80\xae") == std::string::npos);
}

TEST_CASE("person: an ended session, and answers that are no identity") {
  World world;
  CHECK_FALSE(world.ask(answer(400, {}, R"({"err":"no app token set"})")));
  CHECK_FALSE(world.ask(redirect("/cdn-cgi/access/login/x")));
  for (const char* body : {"", "[]", "{}", "<html>", R"({"email":7})"})
    CHECK(error_of([&] { world.ask(answer(200, {}, body)); }).kind() == ErrorKind::protocol);
  CHECK(error_of([&] { world.ask(answer(502)); }).kind() == ErrorKind::network);
}

TEST_CASE("person: a logout at Access") {
  World world;
  for (const int status : {200, 302}) {
    world.edge.on(logout_url, answer(status));
    end_sessions(world.edge.send(), world.question);
  }
  CHECK(request_header(world.edge.last(logout_url), "Cookie") == "CF_Authorization=the.org.token");
  for (const int status : {400, 403, 500}) {
    world.edge.on(logout_url, answer(status));
    const Error error = error_of([&] { end_sessions(world.edge.send(), world.question); });
    CHECK(error.kind() == ErrorKind::refused);
    CHECK(error.hint().find(logout_url) != std::string::npos);
  }
}

}  // namespace
}  // namespace mayfly
