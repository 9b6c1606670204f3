// The end of a pump: by the peer, by the local end, by a signal.
#include "access/testing/pump.hpp"
#include "access/websocket/websocket.hpp"

using namespace mayfly;
using namespace mayfly::pump_test;
using namespace std::chrono_literals;
using namespace std::string_literals;

TEST_CASE("after the local end of stream, bytes from the tunnel are still delivered") {
  World world;
  world.local.in.pieces = {"request"};
  world.local.in.after = State::ended;
  Pump pump = world.make();
  world.settle(pump);
  CHECK(Heard(world.tunnel.out.bytes).data == "request");
  for (int i = 0; i < 5; ++i) {
    world.now += 19s;
    world.tunnel.in.pieces = {data("answer ")};
    world.settle(pump);
  }
  CHECK(world.local.out.bytes == "answer answer answer answer answer ");
  CHECK_FALSE(pump.finished());

  SUBCASE("until none came for the time of draining: Close 1000, answered") {
    world.now += 20s;
    pump.step(world.now);
    CHECK(Heard(world.tunnel.out.bytes).told == "close(1000) ");
    world.tunnel.in.pieces = {data("late") + close_with(1000)};
    world.settle(pump);
    CHECK(pump.finished());
    CHECK(world.local.out.bytes.ends_with("late"));
    CHECK(pump.ending(world.now).how == Ending::How::closed);
    CHECK(pump.ending(world.now).close_code == 1000);
  }
  SUBCASE("until then, and Close 1000 is not answered in time") {
    const auto before = world.now;
    const Ending ending = world.run(pump);
    CHECK(ending.how == Ending::How::closed);
    CHECK(ending.close_code == 1006);
    CHECK(world.now - before < 23s);
  }
  SUBCASE("until the peer ends the stream too") {
    world.tunnel.in.after = State::ended;
    const Ending ending = world.run(pump);
    CHECK(ending.how == Ending::How::closed);
  }
  SUBCASE("but a broken connection is not an end of stream") {
    world.tunnel.in.after = State::failed;
    const Ending ending = world.run(pump);
    CHECK(ending.how == Ending::How::cut);
    CHECK(ending.reason == "connection reset");
  }
}

TEST_CASE("after its end of stream, a local program is waited for only while it is there") {
  World world;
  world.local.connection = true;
  world.local.in.pieces = {"request"};
  world.local.in.after = State::ended;
  Pump pump = world.make();
  SUBCASE("gone at once: Close 1000 at once, behind its last bytes") {
    world.local.now = Presence::gone;
    world.settle(pump);
    CHECK(Heard(world.tunnel.out.bytes).data == "request");
    CHECK(Heard(world.tunnel.out.bytes).told == "close(1000) ");
    world.tunnel.in.pieces = {data("for nobody") + close_with(1000)};
    world.settle(pump);
    CHECK(pump.finished());
    CHECK(pump.ending(world.now).how == Ending::How::closed);
    CHECK(world.local.out.bytes.empty());
  }
  SUBCASE("gone later: Close 1000 within half a second") {
    world.local.now = Presence::there;
    world.settle(pump);
    for (int i = 0; i < 10; ++i) world.now = *world.settle(pump).deadline;
    CHECK(Heard(world.tunnel.out.bytes).told.empty());
    world.local.now = Presence::gone;
    world.now += 500ms;
    world.settle(pump);
    CHECK(Heard(world.tunnel.out.bytes).told == "close(1000) ");
  }
  SUBCASE("there: for 30 s of silence, whatever the time to linger") {
    world.local.now = Presence::there;
    for (;;) {
      const auto deadline = world.settle(pump).deadline;
      if (Heard(world.tunnel.out.bytes).told.find("close") != std::string::npos) break;
      world.now = *deadline;
    }
    CHECK(world.now - world.start == 30s);
  }
  SUBCASE("unknown: for the time to linger, without another look") {
    CHECK(*world.settle(pump).deadline == world.start + 20s);
  }
}

TEST_CASE("the last bytes of a program that has closed its connection are sent") {
  World world;
  world.local.connection = true;
  world.local.in.after = State::ended;
  SUBCASE("the loop notices the end before it has read the bytes") {
    world.local.in.pieces = {"", "last ", "words"};
    Pump pump = world.make();
    pump.step(world.now);
    pump.local_is_gone();
    world.settle(pump);
    CHECK(Heard(world.tunnel.out.bytes).data == "last words");
    CHECK(Heard(world.tunnel.out.bytes).told == "close(1000) ");
  }
  SUBCASE("a write notices the end") {
    world.local.in.pieces = {"", "last ", "words"};
    world.local.out.refuse = State::ended;
    world.tunnel.in.pieces = {data("for nobody")};
    Pump pump = world.make();
    world.settle(pump);
    CHECK(Heard(world.tunnel.out.bytes).data == "last words");
    CHECK(Heard(world.tunnel.out.bytes).told == "close(1000) ");
  }
  SUBCASE("a reset follows the bytes") {
    world.local.in.pieces = {"last words"};
    world.local.in.after = State::failed;
    Pump pump = world.make();
    pump.local_is_gone();
    world.settle(pump);
    CHECK(Heard(world.tunnel.out.bytes).data == "last words");
    CHECK(Heard(world.tunnel.out.bytes).told == "close(1000) ");
  }
  SUBCASE("the tunnel takes them only later") {
    world.local.in.pieces = {"last words"};
    world.tunnel.out.stuck = true;
    Pump pump = world.make();
    pump.step(world.now);
    pump.local_is_gone();
    world.settle(pump);
    CHECK_FALSE(pump.finished());
    world.tunnel.out.stuck = false;
    world.settle(pump);
    CHECK(Heard(world.tunnel.out.bytes).data == "last words");
    CHECK(Heard(world.tunnel.out.bytes).told == "close(1000) ");
  }
}

TEST_CASE("the ending shows how the peer ended the tunnel") {
  struct Case {
    std::string last;
    State after;
    Ending::How how;
    int code;
    std::string reason, answer;
  };
  const Case cases[] = {
      {close_with(1000), State::wait_readable, Ending::How::closed, 1000, "", "close(1000) "},
      {close_with(1001, "bye\n"), State::wait_readable, Ending::How::closed, 1001, "bye\\x0a",
       "close(1001) "},
      {frame(0x88, ""), State::wait_readable, Ending::How::closed, 1005, "", "close "},
      {close_with(1011, "origin"), State::wait_readable, Ending::How::cut, 1011, "origin",
       "close(1011) "},
      {"", State::ended, Ending::How::cut, 1006, "the connection ended without a Close", ""},
      {"", State::failed, Ending::How::cut, 1006, "connection reset", ""},
      {frame(0xc2, "x"), State::wait_readable, Ending::How::violation, 1006,
       "a reserved bit is set", "close(1002) "},
      {frame(0x81, "\xff"), State::wait_readable, Ending::How::violation, 1006,
       "a text message is not UTF-8", "close(1007) "},
  };
  for (const Case& one : cases) {
    CAPTURE(one.reason);
    World world;
    world.tunnel.in.pieces = {data("before") + one.last};
    world.tunnel.in.after = one.after;
    world.local.out = {.bytes = {}, .most = 2, .choppy = true};
    Pump pump = world.make();
    const Ending ending = world.run(pump);
    CHECK(world.now == world.start);
    CHECK(world.local.out.bytes == "before");
    CHECK(ending.how == one.how);
    CHECK(ending.close_code == one.code);
    CHECK(ending.reason == one.reason);
    CHECK(Heard(world.tunnel.out.bytes).told == one.answer);
  }
}

TEST_CASE("bytes after a Close are ignored") {
  World world;
  world.tunnel.in.pieces = {close_with(1000) + data("more") + "\xff\xff\xff"};
  Pump pump = world.make();
  CHECK(world.run(pump).how == Ending::How::closed);
  CHECK(world.local.out.bytes.empty());
}

TEST_CASE("a slow local program gets all bytes, however long it takes after the Close") {
  World world;
  world.tunnel.in.pieces = {data("all of it") + close_with(1000)};
  world.local.out.stuck = true;
  Pump pump = world.make();
  world.settle(pump);
  world.now += 1h;
  world.settle(pump);
  CHECK_FALSE(pump.finished());
  world.local.out.stuck = false;
  world.settle(pump);
  CHECK(pump.finished());
  CHECK(world.local.out.bytes == "all of it");

  SUBCASE("unless a signal ends it") {}
}

TEST_CASE("a signal sends Close 1001 and does not wait for the peer") {
  World world;
  Pump pump = world.make();
  world.settle(pump);
  SUBCASE("while the connection takes bytes") {
    pump.interrupt(world.now);
    world.settle(pump);
    CHECK(pump.finished());
    CHECK(Heard(world.tunnel.out.bytes).told == "close(1001) ");
  }
  SUBCASE("and waits for a stuck connection only a second") {
    world.tunnel.out.stuck = true;
    pump.interrupt(world.now);
    world.run(pump);
    CHECK(world.now - world.start <= 1s);
  }
  SUBCASE("and waits for a stuck local program only a second") {
    world.local.out.stuck = true;
    world.tunnel.in.pieces = {data("x") + close_with(1000)};
    world.settle(pump);
    CHECK_FALSE(pump.finished());
    pump.interrupt(world.now);
    world.run(pump);
    CHECK(world.now - world.start <= 1s);
    return;
  }
  CHECK(pump.ending(world.now).how == Ending::How::interrupted);
}

TEST_CASE("a local program that stops reading ends the tunnel at once") {
  World world;
  Pump pump = world.make();
  SUBCASE("noticed by the loop") {
    world.settle(pump);
    pump.local_is_gone();
  }
  SUBCASE("noticed by a write") {
    world.local.out.refuse = State::ended;
    world.tunnel.in.pieces = {data("x")};
    world.settle(pump);
  }
  CHECK(pump.finished());
  CHECK(Heard(world.tunnel.out.bytes).told == "close(1001) ");
  CHECK(pump.ending(world.now).how == Ending::How::interrupted);
}

TEST_CASE("a local write that fails is not a clean ending") {
  World world;
  world.local.out.refuse = State::failed;
  world.tunnel.in.pieces = {data("x")};
  Pump pump = world.make();
  const Ending ending = world.run(pump);
  CHECK(ending.how == Ending::How::undelivered);
  CHECK(ending.reason == "broken pipe");
}

TEST_CASE("after a failed write, the peer's Close is still read") {
  World world;
  world.local.in.pieces = {"x"};
  world.tunnel.out.refuse = State::failed;
  Pump pump = world.make();
  SUBCASE("if there is one") {
    world.tunnel.in.pieces = {"", data("last words") + close_with(1011, "full")};
    const Ending ending = world.run(pump);
    CHECK(world.local.out.bytes == "last words");
    CHECK(ending.close_code == 1011);
    CHECK(ending.how == Ending::How::cut);
  }
  SUBCASE("if there is none, the write is the reason") {
    const Ending ending = world.run(pump);
    CHECK(ending.how == Ending::How::cut);
    CHECK(ending.reason == "broken pipe");
    CHECK(world.now - world.start < 3s);
  }
}
