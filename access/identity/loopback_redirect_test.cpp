#include "access/identity/loopback_redirect.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

namespace mayfly {
namespace {

const ExpectedRedirect expected{"127.0.0.1:4711", "/callback", "the-state"};

std::optional<RedirectParameters> read(const std::string& line,
                                       const std::string& host = "127.0.0.1:4711") {
  return read_redirect(line + " HTTP/1.1\r\nHost: " + host, expected);
}

TEST_CASE("loopback redirect: the parameters of the right request") {
  const auto parameters = read("GET /callback?code=a%2Bb+c&state=the-state&iss=https%3A%2F%2Fx");
  REQUIRE(parameters);
  CHECK(parameters->at("code") == "a+b c");
  CHECK(parameters->at("iss") == "https://x");
}

TEST_CASE("loopback redirect: the redirect of a visitor who could be another user does not count") {
  using State = PeerSocket::State;
  const unsigned own = ::geteuid();
  CHECK(may_redirect({.state = State::held, .user = own}));
  CHECK(may_redirect({.state = State::held, .user = 0}));
  CHECK_FALSE(may_redirect({.state = State::held, .user = own + 1}));
  for (const State gone : {State::untold, State::absent, State::closed})
    CHECK_FALSE(may_redirect({.state = gone, .user = own}));
}

TEST_CASE("loopback redirect: requests that anybody may send are not it") {
  CHECK_FALSE(read("GET /callback?code=x"));
  CHECK_FALSE(read("GET /callback?code=x&state="));
  CHECK_FALSE(read("GET /callback?code=x&state=the-statf"));
  CHECK_FALSE(read("GET /callback?code=x&state=the-state2"));
  CHECK_FALSE(read("GET /callback?code=x&code=y&state=the-state"));
  CHECK_FALSE(read("GET /callback?state=the-state&state=the-state"));
  CHECK_FALSE(read("GET /other?code=x&state=the-state"));
  CHECK_FALSE(read("POST /callback?code=x&state=the-state"));
  CHECK_FALSE(read("GET /callback?code=x&state=the-state", "evil.example:4711"));
  CHECK_FALSE(read("GET /callback?code=x&state=the-state", "localhost:4711"));
  CHECK_FALSE(read("GET http://127.0.0.1:4711/callback?code=x&state=the-state"));
}

}  // namespace
}  // namespace mayfly
