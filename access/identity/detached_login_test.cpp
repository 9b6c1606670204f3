// A browser login in a process of its own.
#include <doctest/doctest.h>

#include "access/testing/credentials.hpp"

using namespace mayfly;
using namespace mayfly::credentials_test;

TEST_SUITE("identity/detached_login") {
  TEST_CASE("a detached login stores both tokens and gives the command the token") {
    World world;
    world.options.browser = CredentialOptions::Browser::detached;
    int closed = 0;
    world.options.close_connections = [&] { ++closed; };
    const Grant grant = world.obtain();
    CHECK(jwt_of(grant) == world.app_token);
    CHECK(world.state.directory().read(kFile, 65536)->content == world.app_token);
    CHECK(world.state.directory().read(kOrgFile, 65536)->content == world.org_token);
    CHECK(world.no_locks_left());
    CHECK(closed == 1);
    CHECK(world.shown.empty());  // it was shown in the other process
  }

  TEST_CASE("the error of a detached login is that of the command") {
    World world;
    world.options.browser = CredentialOptions::Browser::detached;
    world.prompt.show = [](const std::string&) {
      throw Error(ErrorKind::protocol, "a broken login", "do this");
    };
    const Error error = world.refusal();
    CHECK(error.kind() == ErrorKind::protocol);
    CHECK(error.message() == "a broken login");
    CHECK(error.hint() == "do this");
    CHECK(world.no_locks_left());
  }

  TEST_CASE("a detached login whose process dies is an error") {
    World world;
    world.options.browser = CredentialOptions::Browser::detached;
    world.prompt.show = [](const std::string&) { ::_exit(0); };
    CHECK(world.refusal().kind() == ErrorKind::failed);
  }
}
