// Applications that let everybody in, and answers that must not be taken for that.
#include "access/testing/credentials.hpp"

using namespace mayfly;
using namespace mayfly::test;
using namespace mayfly::credentials_test;

namespace {

// Needs no login when an ordinary request is answered like this.
bool is_open(const Response& response) {
  World world;
  world.application = [&](const Request&) { return response; };
  world.forbid_login();
  try {
    const Grant grant = world.obtain();
    CHECK_FALSE(grant.token);
    CHECK(world.shown.empty());
    return grant.guard == Grant::Guard::nobody;
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::login_needed);
    return false;
  }
}

}  // namespace

TEST_CASE("bypass: the origin's own answers need no login") {
  CHECK(is_open(answer(200)));
  CHECK(is_open(answer(404)));
  CHECK(is_open(answer(502)));
  CHECK(is_open(redirect("/start")));
  CHECK(is_open(redirect("https://vm.example.com/start")));
}

TEST_CASE("bypass: an answer that may lead to a login is no bypass") {
  CHECK_FALSE(is_open(answer(401)));
  CHECK_FALSE(is_open(answer(403)));
  for (const char* location :
       {kLogin, "/cdn-cgi/access/login/vm.example.com", "https://login.example.org/",
        "http://team.cloudflareaccess.com/cdn-cgi/access/login", "http://vm.example.com/",
        "https://["}) {
    CAPTURE(location);
    CHECK_FALSE(is_open(redirect(location)));
  }
}

TEST_CASE("bypass: a stored token is not thrown away for it") {
  World world;
  const std::string kept = jwt_of(world.obtain());
  world.application = [](const Request&) { return answer(200); };
  CHECK(jwt_of(world.obtain()) == kept);
  CHECK(world.state.content(kFile) == kept);
}
