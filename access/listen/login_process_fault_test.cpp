// Makes each operation on the socket to the login process fail, in every way: a login then ends
// with headers, or with an error that has a hint.
#include <doctest/doctest.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <optional>

#include "access/listen/login_process.hpp"
#include "access/testing/fail_each.hpp"

using namespace mayfly;
using namespace mayfly::testing;
using namespace std::chrono_literals;

namespace {

// More than one read returns.
const Headers obtained = {{"Cf-Access-Token", pattern(20'000)}};

// Returns the number that the next descriptor will have.
int next_descriptor() {
  return Descriptor(::dup(STDERR_FILENO)).get();
}

std::optional<Obtained> obtain_by(LoginProcess& process) {
  asio::io_context loop;
  std::optional<Obtained> told;
  asio::co_spawn(loop, process.obtain(Authorization::Why::nothing_known, {}),
                 [&](std::exception_ptr, Obtained result) { told = std::move(result); });
  loop.run_for(10s);
  return told;
}

}  // namespace

TEST_CASE("every operation of a login in the login process fails in turn") {
  Authorization authorization;
  authorization.known = [] { return std::nullopt; };
  authorization.obtain = [](Authorization::Why) { return obtained; };
  fail_each([&](Fault fault, int at) {
    const int socket = next_descriptor();  // the first that a LoginProcess opens
    LoginProcess process(authorization);
    // A login may take its time, since it may ask a person. So there is no end of a stalled one.
    const bool waits = fault == Fault::stall && at > 1;
    const FaultInjection injection(fault, waits ? 0 : at, {socket});
    const auto told = obtain_by(process);
    REQUIRE_MESSAGE(told, "it hangs");
    const auto* headers = std::get_if<Headers>(&*told);
    const auto* error = std::get_if<Error>(&*told);
    const bool right = headers != nullptr && *headers == obtained;
    CHECK(right == (headers != nullptr));
    if (error != nullptr) CHECK_FALSE(error->hint().empty());
    if (at == 0 || is_harmless(fault)) CHECK(right);
    CHECK(injection.in_vain() < 3);
    return waits ? 0 : injection.operations();
  });
}
