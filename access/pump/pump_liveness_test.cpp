// How a pump notices that its peer is gone.
#include "access/testing/pump.hpp"
#include "access/websocket/websocket.hpp"

using namespace mayfly;
using namespace mayfly::pump_test;
using namespace std::chrono_literals;
using namespace std::string_literals;

TEST_CASE("a peer does not count as dead while the local end stalls") {
  World world;
  world.tunnel.in.pieces = {data("1")};
  world.local.out.stuck = true;
  Pump pump = world.make();
  for (int i = 0; i < 100; ++i) {
    pump.step(world.now);
    world.wake(pump);
    world.now += 10s;
  }
  CHECK_FALSE(pump.finished());
}

TEST_CASE("pongs do not lengthen the time of draining") {
  World world;
  world.local.in.after = State::ended;
  Pump pump = world.make();
  world.settle(pump);
  world.now += 19s;
  world.tunnel.in.pieces = {frame(0x8a, "")};
  world.settle(pump);
  world.now += 1s;
  pump.step(world.now);
  CHECK(Heard(world.tunnel.out.bytes).told == "close(1000) ");
}

TEST_CASE("a silent peer gets two pings, and then the tunnel ends") {
  World world;
  Pump pump = world.make();
  world.settle(pump);
  world.now += 30s;
  world.settle(pump);
  CHECK(Heard(world.tunnel.out.bytes).told == "ping ");

  SUBCASE("any received byte counts as an answer") {
    for (int i = 0; i < 10; ++i) {
      world.tunnel.in.pieces = {i % 2 == 0 ? frame(0x8a, "") : data("x")};
      world.settle(pump);
      world.now += 29s;
      world.settle(pump);
    }
    CHECK_FALSE(pump.finished());
  }
  SUBCASE("a ping is not unanswered while the bytes before it are still being acknowledged") {
    const int ping_bytes = static_cast<int>(world.tunnel.out.bytes.size());
    for (int i = 1; i <= ping_bytes; ++i) {
      ++world.tunnel.acknowledged;
      world.now += 30s;
      world.settle(pump);
      CHECK(Heard(world.tunnel.out.bytes).told == (i < ping_bytes ? "ping " : "ping ping "));
    }
    CHECK_FALSE(pump.finished());
  }
  SUBCASE("an acknowledgement by the peer's host is not an answer") {
    world.tunnel.acknowledged = world.tunnel.out.bytes.size();
    const Ending ending = world.run(pump);
    CHECK(ending.how == Ending::How::cut);
    CHECK(world.now - world.start == 67500ms);
  }
  SUBCASE("sent bytes are not a sign of life") {
    for (int i = 0; i < 8 && !pump.finished(); ++i) {
      world.local.in.pieces = {"key"};
      world.settle(pump);
      world.now += 10s;
    }
    CHECK(pump.finished());
  }
  SUBCASE("without an answer the peer is dead 67.5 s after the last sign of life") {
    const Ending ending = world.run(pump);
    CHECK(ending.how == Ending::How::cut);
    CHECK(ending.reason == "two pings were not answered");
    CHECK(world.now - world.start == 67500ms);
    CHECK(ending.age == 67500ms);
    CHECK(Heard(world.tunnel.out.bytes).told == "ping ping ");
  }
}

TEST_CASE("a peer that takes no bytes is not dead while its host answers") {
  World world;
  world.tunnel.host_answers = true;
  world.local.in.pieces = {"for "};
  Pump pump = world.make();
  world.settle(pump);
  world.tunnel.out.stuck = true;  // the kernel's queue holds the first bytes and takes no others
  world.local.in.pieces = {"a tape"};
  world.settle(pump);
  for (int i = 0; i < 100; ++i) {
    world.now += 30s;
    world.settle(pump);
  }
  REQUIRE_FALSE(pump.finished());

  SUBCASE("it is dead once its host is silent, too") {
    world.tunnel.host_answers = false;
    const auto before = world.now;
    const Ending ending = world.run(pump);
    CHECK(ending.how == Ending::How::cut);
    CHECK(ending.reason == "two pings were not answered");
    CHECK(world.now - before <= 67500ms);
  }
  SUBCASE("after it has taken the bytes, it has as much time to answer as any other") {
    world.tunnel.out.stuck = false;
    const auto before = world.now;
    for (int i = 0; i < 100; ++i) {
      const auto deadline = world.settle(pump).deadline;
      world.tunnel.acknowledged = world.tunnel.out.bytes.size();
      if (pump.finished()) break;
      world.now = *deadline;
    }
    REQUIRE(pump.finished());
    CHECK(Heard(world.tunnel.out.bytes).data == "for a tape");
    CHECK(world.now - before >= 37500ms);  // a ping, another after 30 s, and 7.5 s for its answer
    CHECK(world.now - before <= 75s);
  }
}

TEST_CASE("the round trip of a ping is measured") {
  World world;
  Pump pump = world.make();
  pump.probe(world.now);
  world.settle(pump);
  const Heard first(world.tunnel.out.bytes);
  CHECK(first.told == "ping ");
  CHECK_FALSE(pump.traffic(world.now).round_trip);

  SUBCASE("by the pong that carries the same") {
    world.now += 42ms;
    world.tunnel.in.pieces = {frame(0x8a, "?") + frame(0x8a, "") + frame(0x8a, first.last_ping)};
    world.settle(pump);
    CHECK(pump.traffic(world.now).round_trip == 42ms);
  }
  SUBCASE("not by a pong that carries something else") {
    world.tunnel.in.pieces = {frame(0x8a, ""), frame(0x8a, first.last_ping + "?")};
    world.settle(pump);
    CHECK_FALSE(pump.traffic(world.now).round_trip);
  }
  SUBCASE("one ping at a time") {
    pump.probe(world.now);
    world.settle(pump);
    CHECK(Heard(world.tunnel.out.bytes).told == "ping ");
  }
  SUBCASE("by the last of two, when the first was not answered") {
    world.now += 30s;  // of silence
    world.settle(pump);
    const Heard second(world.tunnel.out.bytes);
    CHECK(second.told == "ping ping ");
    world.now += 7ms;
    world.tunnel.in.pieces = {frame(0x8a, first.last_ping) + frame(0x8a, second.last_ping)};
    world.settle(pump);
    CHECK(pump.traffic(world.now).round_trip == 7ms);
  }
  SUBCASE("and none is sent when it is over") {
    world.tunnel.in.pieces = {close_with(1000)};
    world.run(pump);
    const std::string before = world.tunnel.out.bytes;
    pump.probe(world.now);
    CHECK(world.tunnel.out.bytes == before);
  }
}

TEST_CASE("without an interval there are no pings") {
  World world;
  world.options.ping_interval = 0s;
  Pump pump = world.make();
  CHECK_FALSE(world.settle(pump).deadline);
}
