#include "access/identity/service_token_team.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "access/testing/access.hpp"

using namespace mayfly;
using namespace mayfly::test;

namespace {

const ServiceToken service{"0123456789abcdef.access", Secret(std::string_view("s3cret"))};

Application of_team(const char* team) {
  Application application = test_application();
  application.auth_domain = team;
  return application;
}

bool is_refused(const ServiceToken& token, const char* team, const TemporaryState& state) {
  try {
    require_team_of(token, of_team(team), state.directory());
    return false;
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::refused);
    CHECK(error.message().find("s3cret") == std::string::npos);
    return true;
  }
}

}  // namespace

TEST_CASE("a service token goes to the team of its first application alone") {
  const TemporaryState state;
  CHECK_FALSE(is_refused(service, "acme.cloudflareaccess.com", state));
  CHECK_FALSE(is_refused(service, "acme.cloudflareaccess.com", state));
  CHECK(is_refused(service, "evil.cloudflareaccess.com", state));
  CHECK_THROWS_AS(check_team_of(service, of_team("evil.cloudflareaccess.com"), state.directory()),
                  Error);
  // People leave ".access" off.
  const ServiceToken bare{"0123456789abcdef", Secret(std::string_view("s3cret"))};
  CHECK(is_refused(bare, "evil.cloudflareaccess.com", state));
  const ServiceToken other{"fedcba9876543210.access", Secret(std::string_view("s3cret"))};
  CHECK_FALSE(is_refused(other, "evil.cloudflareaccess.com", state));
}

TEST_CASE("asking about the team remembers none") {
  const TemporaryState state;
  check_team_of(service, of_team("acme.cloudflareaccess.com"), state.directory());
  CHECK(state.names().empty());
}

TEST_CASE("a record of the team that cannot be read keeps the service token back") {
  const TemporaryState state;
  REQUIRE(::mkdirat(state.directory().descriptor(), "0123456789abcdef-service-team", 0700) == 0);
  CHECK_THROWS_AS(require_team_of(service, test_application(), state.directory()), Error);
}
