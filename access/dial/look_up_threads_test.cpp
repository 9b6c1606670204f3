// The threads that look up names, with a getaddrinfo of the test's own that takes as long as it is
// told to. A program of its own, under the thread sanitizer (tests/unit/meson.build).
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <netdb.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <semaphore>
#include <string>
#include <string_view>
#include <utility>

#include "access/dial/endpoints.hpp"
#include "access/io/deadline.hpp"

using namespace mayfly;
using namespace std::chrono_literals;

namespace {

std::counting_semaphore<> may_answer{0}, ended{0};
std::atomic<int> questions{0};  // to getaddrinfo

// Thread-local objects are destroyed last, when nothing of ours is left to run in the thread.
struct TellsTheEnd {
  ~TellsTheEnd() { ended.release(); }
};

}  // namespace

// What the product links to instead of the C library's.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  using Function = decltype(&getaddrinfo);
  static const auto original = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  ++questions;
  if (std::string_view(name) == "this.invalid") name = "127.0.0.1";
  if (std::string_view(name) == "slow.invalid") {
    thread_local const TellsTheEnd at_the_end;
    may_answer.acquire();
    return EAI_AGAIN;
  }
  return original(name, service, hints, result);
}

TEST_CASE("many look-ups at once each get their own answer") {
  constexpr int count = 50;
  asio::io_context loop;
  int right = 0;
  const auto one = [](asio::io_context& in, int port, int& matches) -> asio::awaitable<void> {
    Deadline deadline(in.get_executor(), 60s);
    Target target{.host = "this.invalid", .port = std::to_string(port)};
    const LookedUp answer = co_await look_up(std::move(target), deadline);
    if (!answer.found.empty() && answer.found.front().port() == port) ++matches;
  };
  for (int i = 0; i < count; ++i) asio::co_spawn(loop, one(loop, 1000 + i, right), asio::detached);
  loop.run();
  CHECK(right == count);
}

TEST_CASE("loopback names are answered without asking anybody (RFC 6761 section 6.3)") {
  const int before = questions;
  asio::io_context loop;
  int answered = 0;
  const auto ask = [](asio::io_context& in, const char* name, int& count) -> asio::awaitable<void> {
    Deadline deadline(in.get_executor(), 60s);
    Target target{.host = name, .port = "80"};
    const LookedUp answer = co_await look_up(std::move(target), deadline);
    for (const auto& endpoint : answer.found)
      if (endpoint.address().is_loopback()) ++count;
  };
  for (const char* name : {"localhost", "wiki.localhost"})
    asio::co_spawn(loop, ask(loop, name, answered), asio::detached);
  loop.run();
  CHECK(answered == 4);
  CHECK(questions == before);
}

TEST_CASE("a look-up that its deadline left behind ends by itself, and nobody waits for it") {
  bool given_up = false;
  {
    asio::io_context loop;
    const auto ask = [](asio::io_context& in, bool& left) -> asio::awaitable<void> {
      Deadline deadline(in.get_executor(), 20ms);
      Target target{.host = "slow.invalid", .port = "80"};
      const LookedUp answer = co_await look_up(std::move(target), deadline);
      left = answer.found.empty() && answer.failure == 0 && deadline.expired();
    };
    asio::co_spawn(loop, ask(loop, given_up), asio::detached);
    loop.run();
  }
  CHECK(given_up);
  CHECK_FALSE(ended.try_acquire());
  may_answer.release();  // the loop, the deadline and who asked are gone by now
  ended.acquire();
}
