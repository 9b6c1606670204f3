// Real sockets in a loop that Asio shares.
#include "access/io/event_loop.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <string>

#include "access/system/descriptor.hpp"
#include "access/system/platform.hpp"

using namespace mayfly;
using namespace std::chrono_literals;

namespace {

struct Told : Watcher {
  std::function<void(const Readiness&)> then;
  int times = 0;
  void on_ready(const Readiness& readiness) override {
    ++times;
    then(readiness);
  }
};

std::string read_all_now(int socket) {
  std::array<char, 64> room{};
  const ssize_t size = ::recv(socket, room.data(), room.size(), MSG_DONTWAIT);
  return size > 0 ? std::string(room.data(), static_cast<std::size_t>(size)) : "";
}

struct World {
  asio::io_context loop{1};
  asio::steady_timer guard{loop};  // Asio has something to wait for, as a listener has
  EventLoop events{loop};
  SocketPair ends = make_socket_pair("cannot test", Blocking::no);

  World() {
    guard.expires_after(60s);
    guard.async_wait([this](const auto& error) {
      if (!error) loop.stop();
    });
  }
  void send(std::string_view bytes) { REQUIRE(send_all(ends.theirs.get(), bytes)); }
};

}  // namespace

TEST_CASE("a descriptor tells of each change without being armed again") {
  if (platform != Platform::linux_kernel) return;
  World world;
  Told told;
  std::string heard;
  told.then = [&](const Readiness& readiness) {
    CHECK(readiness.readable);
    CHECK_FALSE(readiness.writable);
    heard += read_all_now(world.ends.ours.get());
    heard == "onetwo" ? world.loop.stop() : world.send("two");
  };
  const auto registration = world.events.add(world.ends.ours.get(), told);
  REQUIRE(registration);
  world.send("one");
  world.events.run();
  CHECK(heard == "onetwo");
  CHECK(told.times == 2);
}

TEST_CASE("the ends of a connection are told") {
  if (platform != Platform::linux_kernel) return;
  World world;
  Told told;
  Readiness last;
  told.then = [&](const Readiness& readiness) {
    last = readiness;
    world.loop.stop();
  };
  const auto registration = world.events.add(world.ends.ours.get(), told);
  SUBCASE("of what is sent") {
    ::shutdown(world.ends.theirs.get(), SHUT_WR);
    world.events.run();
    CHECK(last.has_ended);
    CHECK_FALSE(last.is_broken);
  }
  SUBCASE("of both directions") {
    world.ends.theirs = {};
    world.events.run();
    CHECK(last.has_ended);
    CHECK(last.is_broken);
  }
}

TEST_CASE("a watcher may end the registration of another that is ready in the same round") {
  if (platform != Platform::linux_kernel) return;
  World world;
  SocketPair others = make_socket_pair("cannot test", Blocking::no);
  std::array<std::unique_ptr<ReadinessSet::Registration>, 2> registrations;
  std::array<Told, 2> told;
  for (std::size_t i = 0; i < 2; ++i)
    told[i].then = [&, i](const Readiness&) {
      registrations[1 - i].reset();
      world.loop.stop();
    };
  registrations[0] = world.events.add(world.ends.ours.get(), told[0]);
  registrations[1] = world.events.add(others.ours.get(), told[1]);
  world.send("x");
  REQUIRE(send_all(others.theirs.get(), "x"));
  world.events.run();
  CHECK(told[0].times + told[1].times == 1);
}

TEST_CASE("Asio's handlers and calls once more take turns with the descriptors") {
  if (platform != Platform::linux_kernel) return;
  World world;
  Told told;
  int again = 0, posted = 0;
  asio::steady_timer timer(world.loop);
  timer.expires_after(1ms);
  timer.async_wait([&](const auto&) {
    ++posted;
    world.send("x");  // the descriptor is heard although calls go on
  });
  std::function<void()> once_more = [&] {
    ++again;
    world.events.call(once_more);
  };
  world.events.call(once_more);
  told.then = [&](const Readiness&) { world.loop.stop(); };
  const auto registration = world.events.add(world.ends.ours.get(), told);
  world.events.run();
  CHECK(posted == 1);
  CHECK(again > 0);
  CHECK(told.times == 1);
}
