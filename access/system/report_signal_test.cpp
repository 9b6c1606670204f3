// SIGUSR1 as a descriptor.
#include "access/system/report_signal.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>

using namespace mayfly;

namespace {
bool is_readable() {
  pollfd state{.fd = report_descriptor(), .events = POLLIN, .revents = 0};
  return ::poll(&state, 1, 0) == 1;
}
}  // namespace

TEST_CASE("report signal: readable from the signal until it is taken") {
  catch_report_signal();
  CHECK_FALSE(is_readable());
  CHECK_FALSE(take_report_request());
  for (int round = 0; round < 2; ++round) {
    REQUIRE(::raise(SIGUSR1) == 0);
    REQUIRE(::raise(SIGUSR1) == 0);
    CHECK(is_readable());
    CHECK(take_report_request());
    CHECK_FALSE(take_report_request());
    CHECK_FALSE(is_readable());
  }
}

TEST_CASE("report signal: more signals than a pipe holds lose nothing and block nobody") {
  catch_report_signal();
  for (int i = 0; i < 70'000; ++i) ::raise(SIGUSR1);
  CHECK(take_report_request());
  CHECK_FALSE(is_readable());
}
