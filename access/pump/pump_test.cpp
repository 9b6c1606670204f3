// What passes a pump.
#include "access/testing/pump.hpp"

#include "access/websocket/websocket.hpp"

using namespace mayfly;
using namespace mayfly::pump_test;
using namespace std::chrono_literals;
using namespace std::string_literals;

TEST_CASE("bytes pass both ways and are counted") {
  World world;
  world.local.in.pieces = {"hello ", "", "world"};
  world.tunnel.in.pieces = {data("ab") + data("") + data("cd"), "", data("e") + close_with(1000)};
  Pump pump = world.make();
  const Ending ending = world.run(pump);
  CHECK(ending.how == Ending::How::closed);
  CHECK(ending.close_code == 1000);
  CHECK(world.local.out.bytes == "abcde");
  const Heard heard(world.tunnel.out.bytes);
  CHECK(heard.told == "close(1000) ");
  CHECK(ending.received == 5);
  CHECK(ending.sent == heard.data.size());
  CHECK("hello world"s.starts_with(heard.data));
  CHECK(world.buffers.lent() == 0);
}

TEST_CASE("nothing is lost or reordered when every operation is partial") {
  World world;
  std::string up, down, stream;
  for (int i = 0; i < 40; ++i) {
    up +=
        std::string(static_cast<std::size_t>(i * 997 % 5000 + 1), static_cast<char>('a' + i % 26));
    const std::string piece(static_cast<std::size_t>(i * 677 % 3000),
                            static_cast<char>('A' + i % 26));
    down += piece;
    stream += (i % 7 == 3 ? ping(std::to_string(i)) : "") + data(piece);
  }
  for (std::size_t at = 0; at < up.size(); at += 1500)
    world.local.in.pieces.push_back(up.substr(at, 1500));
  for (std::size_t at = 0; at < stream.size(); at += 1031)
    world.tunnel.in.pieces.push_back(stream.substr(at, 1031));
  world.local.in.after = State::ended;
  world.local.out = {.bytes = {}, .most = 333, .choppy = true};
  world.tunnel.out = {.bytes = {}, .most = 777, .choppy = true};
  Pump pump = world.make();
  const Ending ending = world.run(pump);
  CHECK(ending.how == Ending::How::closed);
  CHECK((world.local.out.bytes == down));
  const Heard heard(world.tunnel.out.bytes);
  CHECK(heard.whole);
  CHECK((heard.data == up));
  CHECK(ending.sent == up.size());
  CHECK(ending.received == down.size());
}

TEST_CASE("bytes that followed the upgrade's answer come first") {
  World world;
  world.early = data("SSH-2.0") + ping("x").substr(0, 2);
  world.tunnel.in.pieces = {ping("x").substr(2) + data("!") + close_with(1000)};
  Pump pump = world.make();
  world.run(pump);
  CHECK(world.local.out.bytes == "SSH-2.0!");
  CHECK(Heard(world.tunnel.out.bytes).told == "pong(x) close(1000) ");
}

TEST_CASE("an idle pump holds no buffer and watches both ends only for reading") {
  World world;
  world.local.in.pieces = {"x"};
  world.tunnel.in.pieces = {data("y")};
  Pump pump = world.make();
  world.settle(pump);
  const Pump::Wants wants = pump.step(world.now);
  CHECK(world.buffers.lent() == 0);
  CHECK(wants.local_readable);
  CHECK(wants.tunnel_readable);
  CHECK_FALSE(wants.local_writable);
  CHECK_FALSE(wants.tunnel_writable);
  CHECK_FALSE(wants.at_once);
}

TEST_CASE("backpressure: an end is not read while the other end takes no bytes") {
  World world;
  world.local.in.pieces = {"x", "y"};
  world.tunnel.in.pieces = {data("1"), data("2")};
  world.local.out.stuck = world.tunnel.out.stuck = true;
  Pump pump = world.make();
  const Pump::Wants wants = pump.step(world.now);
  CHECK(wants.local_writable);
  CHECK(wants.tunnel_writable);
  CHECK_FALSE(wants.local_readable);
  CHECK_FALSE(wants.tunnel_readable);
  CHECK(world.local.in.pieces.size() == 1);
}

TEST_CASE("a busy pump gives way after a bounded amount") {
  World world;
  for (int i = 0; i < 40; ++i) world.local.in.pieces.push_back(std::string(60000, 'x'));
  Pump pump = world.make();
  const Pump::Wants wants = pump.step(world.now);
  CHECK(wants.at_once);
  CHECK(world.tunnel.out.bytes.size() < (2 << 20));
}

TEST_CASE("only the latest ping is answered, between data frames") {
  World world;
  world.tunnel.out.stuck = true;
  world.local.in.pieces = {"payload"};
  Pump pump = world.make();
  world.settle(pump);
  world.tunnel.in.pieces = {ping("1"), ping("2"), ping("3")};
  world.settle(pump);
  world.tunnel.out.stuck = false;
  world.settle(pump);
  const Heard heard(world.tunnel.out.bytes);
  CHECK(heard.data == "payload");
  CHECK(heard.told == "pong(3) ");
}

TEST_CASE("a ping is answered while there is no other frame to send") {
  World world;
  world.tunnel.in.pieces = {ping("quiet")};
  Pump pump = world.make();
  world.settle(pump);
  CHECK(Heard(world.tunnel.out.bytes).told == "pong(quiet) ");
}
