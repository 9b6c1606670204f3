// Overrides as curl understands them (CURLOPT_CONNECT_TO, CURLOPT_RESOLVE), and connecting.
#include "access/dial/endpoints.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <optional>

#include "access/dial/connect.hpp"
#include "access/io/deadline.hpp"
#include "access/testing/silent_port.hpp"

using namespace mayfly;
using namespace std::chrono_literals;
using asio::ip::tcp;

namespace {

template <typename Value>
Value run(asio::io_context& loop, asio::awaitable<Value> task) {
  std::optional<Value> result;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error, Value value) {
    if (error) std::rethrow_exception(error);
    result = std::move(value);
    loop.stop();  // and not when the deadline is over that it was given
  });
  loop.restart();
  loop.run();
  return std::move(result.value());
}

tcp::endpoint loopback(std::uint16_t port) {
  return {asio::ip::make_address("127.0.0.1"), port};
}

}  // namespace

TEST_CASE("known: addresses and loopback names need no name service (RFC 6761 section 6.3)") {
  const auto six = tcp::endpoint(asio::ip::make_address("::1"), 443);
  const std::vector<tcp::endpoint> both = {six, loopback(443)};
  for (const char* name : {"localhost", "LOCALHOST", "wiki.localhost", "a-b.c.localhost"}) {
    CAPTURE(name);
    CHECK(known({.host = name, .port = "443"}) == both);
  }
  CHECK(known({.host = "::1", .port = "443"}) == std::vector<tcp::endpoint>{six});
  CHECK(known({.host = "127.0.0.1", .port = "443"}) == std::vector<tcp::endpoint>{loopback(443)});
  for (const char* name : {"localhost.example.com", "vm.example.com", "mylocalhost", ""})
    CHECK(known({.host = name, .port = "443"}).empty());
}

TEST_CASE("connect_to: the first matching entry") {
  const Target vm{.host = "vm.example.com", .port = "443"};
  struct Case {
    std::vector<std::string> entries;
    Target target;
  };
  const Case cases[] = {
      {{}, vm},
      {{"vm.example.com:443:127.0.0.1:8443"}, {.host = "127.0.0.1", .port = "8443"}},
      {{"VM.example.com:443:127.0.0.1:8443"}, {.host = "127.0.0.1", .port = "8443"}},
      {{"other:443:127.0.0.1:1", "::edge:"}, {.host = "edge", .port = "443"}},
      {{"vm.example.com:80:x:1"}, vm},
      {{":443:[::1]:8443"}, {.host = "::1", .port = "8443"}},
      {{"vm.example.com:::8443"}, {.host = "vm.example.com", .port = "8443"}},
      {{"vm.example.com"}, vm},
  };
  for (const Case& one : cases) CHECK(redirected(vm, one.entries) == one.target);
  CHECK(redirected({.host = "::1", .port = "443"}, {"[::1]:443:[::2]:1"}) ==
        Target{.host = "::2", .port = "1"});
}

TEST_CASE("resolve: addresses pinned to a host and port") {
  const Target vm{.host = "vm.example.com", .port = "443"};
  CHECK(pinned(vm, {"vm.example.com:443:127.0.0.1"}) == std::vector<tcp::endpoint>{loopback(443)});
  CHECK(pinned(vm, {"+vm.example.com:443:127.0.0.1,[::1]"}).size() == 2);
  CHECK(pinned(vm, {"*:443:127.0.0.1"}).size() == 1);
  CHECK(pinned(vm, {"vm.example.com:80:127.0.0.1"}).empty());
  CHECK(pinned(vm, {"vm.example.com:443:name"}).empty());
}

TEST_CASE("names are looked up, addresses are taken as they are") {
  asio::io_context loop;
  Deadline deadline(loop.get_executor(), 10s);
  CHECK(run(loop, look_up({"127.0.0.1", "80"}, deadline)).found ==
        std::vector<tcp::endpoint>{loopback(80)});
  CHECK_FALSE(run(loop, look_up({"localhost", "80"}, deadline)).found.empty());
  const LookedUp unknown = run(loop, look_up({"no-such-name.invalid", "80"}, deadline));
  CHECK(unknown.found.empty());
  CHECK(unknown.failure != 0);
}

TEST_CASE("the first address that answers is connected to") {
  asio::io_context loop;
  tcp::acceptor acceptor(loop, loopback(0));
  const std::uint16_t open = acceptor.local_endpoint().port();
  std::uint16_t closed = 0;
  {
    tcp::acceptor gone(loop, loopback(0));
    closed = gone.local_endpoint().port();
  }
  {
    Deadline deadline(loop.get_executor(), 10s);
    const Connected connected =
        run(loop, connect_to_any({loopback(closed), loopback(open)}, deadline));
    CHECK(connected.socket);
  }
  {
    Deadline deadline(loop.get_executor(), 10s);
    const Connected connected = run(loop, connect_to_any({loopback(closed)}, deadline));
    CHECK_FALSE(connected.socket);
    CHECK(connected.error == asio::error::connection_refused);
  }
}

TEST_CASE("connecting ends at its deadline") {
  asio::io_context loop;
  // A backlog that is full: further connections are neither taken nor refused.
  const testing::SilentPort listening(0);
  const tcp::endpoint full = loopback(listening.port);
  std::vector<Descriptor> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    listening.connect(waiting.back());
  }
  Deadline deadline(loop.get_executor(), 50ms);
  const Connected connected = run(loop, connect_to_any({full}, deadline));
  CHECK(deadline.expired());
  CHECK_FALSE(connected.socket);
  CHECK(connected.error == asio::error::timed_out);
}
