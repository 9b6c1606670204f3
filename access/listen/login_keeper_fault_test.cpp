// Every operation on the line to the process that logs in failing in turn, in every way: whoever
// waits for a login gets it, or hears what to do.
#include <doctest/doctest.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <optional>

#include "access/listen/login_keeper.hpp"
#include "access/testing/fail_each.hpp"

using namespace mayfly;
using namespace mayfly::testing;
using namespace std::chrono_literals;

namespace {

// More than one read takes.
const Headers obtained = {{"Cf-Access-Token", pattern(20'000)}};

// The number that the next descriptor gets.
int next_descriptor() {
  return Descriptor(::dup(STDERR_FILENO)).get();
}

std::optional<Obtained> ask(LoginKeeper& keeper) {
  asio::io_context loop;
  std::optional<Obtained> told;
  asio::co_spawn(loop, keeper.ask(Authorization::Why::nothing_known, {}),
                 [&](std::exception_ptr, Obtained result) { told = std::move(result); });
  loop.run_for(10s);
  return told;
}

}  // namespace

TEST_CASE("every operation of a login in another process fails in turn") {
  Authorization authorization;
  authorization.known = [] { return std::nullopt; };
  authorization.obtain = [](Authorization::Why) { return obtained; };
  fail_each([&](Fault fault, int at) {
    const int line = next_descriptor();  // what a keeper opens first is its end of the line
    LoginKeeper keeper(authorization);
    // A login that takes its time is waited for: a person may be asked.
    const bool waits = fault == Fault::stall && at > 1;
    const FaultInjection injection(fault, waits ? 0 : at, {line});
    const auto told = ask(keeper);
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
