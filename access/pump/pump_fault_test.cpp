// Makes each operation of a pump's ends fail, end or stall.
#include "access/testing/pump.hpp"

using namespace mayfly;
using namespace mayfly::pump_test;

namespace {

// Twelve messages in each direction in small pieces, with pings between them, and a Close.
struct Conversation {
  std::string up, down;
  World world;

  Conversation() {
    std::string stream;
    for (int i = 0; i < 12; ++i) {
      up += "up" + std::to_string(i);
      down += "down" + std::to_string(i);
      stream += data("down" + std::to_string(i)) + (i % 3 == 0 ? ping("p") : "");
    }
    for (std::size_t at = 0; at < up.size(); at += 5)
      world.local.in.pieces.push_back(up.substr(at, 5));
    for (std::size_t at = 0; at < stream.size(); at += 7)
      world.tunnel.in.pieces.push_back(stream.substr(at, 7));
    world.tunnel.in.pieces.push_back(close_with(1000));
    world.local.in.after = State::ended;
    world.local.out = {.bytes = {}, .most = 4, .choppy = true};
    world.tunnel.out = {.bytes = {}, .most = 9, .choppy = true};
  }

  void check(const Ending& ending) const {
    const Heard heard(world.tunnel.out.bytes);
    CHECK(down.starts_with(world.local.out.bytes));
    CHECK(up.starts_with(heard.data));
    CHECK(ending.received == world.local.out.bytes.size());
    CHECK(ending.sent >= heard.data.size());
    CHECK(ending.how != Ending::How::violation);
  }

  // Runs to the end; if the local program stalls, which may last for ever, until a signal.
  Ending hold() {
    Pump pump = world.make();
    if (world.faults.comes_to == State::wait_writable) {
      world.settle(pump);
      if (!pump.finished() && world.faults.stalled == Operation::local_write)
        pump.interrupt(world.now);
    }
    return world.run(pump);
  }
};

int operations_of_a_conversation() {
  Conversation conversation;
  const Ending ending = conversation.hold();
  CHECK(ending.how == Ending::How::closed);
  return conversation.world.faults.count;
}

}  // namespace

TEST_CASE(
    "every operation that fails ends the tunnel, and the bytes before it are delivered unchanged") {
  const int operations = operations_of_a_conversation();
  REQUIRE(operations > 40);
  MESSAGE("operations, each failing, ending and stalling: ", operations);
  for (const State comes_to : {State::failed, State::ended}) {
    for (int n = 1; n <= operations; ++n) {
      CAPTURE(n);
      Conversation conversation;
      conversation.world.faults.comes_to = comes_to;
      conversation.world.faults.fail_at = n;
      const Ending ending = conversation.hold();
      conversation.check(ending);
      if (ending.how == Ending::How::closed)
        CHECK(conversation.world.local.out.bytes == conversation.down);
      CHECK(conversation.world.buffers.lent() == 0);
      CHECK(conversation.world.now - conversation.world.start < 1min);
    }
  }
}

// A stall of the tunnel after the local end of stream looks like a peer that has sent everything,
// so the ending may be clean.
TEST_CASE("every operation that stalls ends the tunnel, unless the local program stalls") {
  const int operations = operations_of_a_conversation();
  for (int n = 1; n <= operations; ++n) {
    CAPTURE(n);
    Conversation conversation;
    conversation.world.faults.comes_to = State::wait_writable;
    conversation.world.faults.fail_at = n;
    const Ending ending = conversation.hold();
    conversation.check(ending);
    CHECK(conversation.world.buffers.lent() == 0);
    CHECK(conversation.world.now - conversation.world.start < 2min);
  }
}
