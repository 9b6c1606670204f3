// The pump over ends made of memory and a hand-cranked clock: every path, and every operation
// failing.
#include "access/transport/pump.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>

#include "access/transport/websocket.hpp"

using namespace mayfly;
using namespace std::chrono_literals;
using namespace std::string_literals;
using State = IoResult::State;

namespace {

// Counts the operations of both ends and makes one of them fail; 0: none.
struct Faults {
  int fail_at = 0;
  int count = 0;
  bool fails() { return ++count == fail_at; }
};

// What is to be read, in pieces; "" stands for "not yet". After the last: `after`.
struct Script {
  std::deque<std::string> pieces;
  State after = State::wait_readable;

  IoResult read(std::span<std::byte> into) {
    if (pieces.empty()) return {.state = after, .bytes = 0, .failure = "connection reset"};
    std::string& front = pieces.front();
    const std::size_t size = std::min(front.size(), into.size());
    std::memcpy(into.data(), front.data(), size);
    front.erase(0, size);
    if (front.empty()) pieces.pop_front();
    if (size == 0) return {.state = State::wait_readable};
    return {.bytes = size};
  }
};

// What was written. Takes at most `most` bytes at a time, and nothing every other time when
// `choppy`.
struct Record {
  std::string bytes;
  std::size_t most = 1 << 30;
  bool choppy = false, stuck = false;
  State refuse = State::moved;  // another: each write comes to that
  bool chopped = false;

  IoResult write(std::string_view text) {
    if (refuse != State::moved) return {.state = refuse, .bytes = 0, .failure = "broken pipe"};
    chopped = choppy && !chopped;
    if (stuck || chopped) return {.state = State::wait_writable};
    const std::size_t size = std::min(text.size(), most);
    bytes += text.substr(0, size);
    return {.bytes = size};
  }
};

struct FakeLocal : LocalEnd {
  explicit FakeLocal(Faults& f) : faults(f) {}
  Faults& faults;
  Script in;
  Record out;
  IoResult read(std::span<std::byte> into) override {
    if (faults.fails()) return {.state = State::failed, .bytes = 0, .failure = "fault"};
    return in.read(into);
  }
  IoResult write(std::span<const iovec> pieces) override {
    if (faults.fails()) return {.state = State::failed, .bytes = 0, .failure = "fault"};
    std::string all;
    for (const iovec& piece : pieces) all.append(static_cast<char*>(piece.iov_base), piece.iov_len);
    return out.write(all);
  }
};

struct FakeTunnel : TunnelEnd {
  explicit FakeTunnel(Faults& f) : faults(f) {}
  Faults& faults;
  Script in;
  Record out;
  std::uint64_t acknowledged = 0;
  IoResult read(std::span<std::byte> into) override {
    if (faults.fails()) return {.state = State::failed, .bytes = 0, .failure = "fault"};
    return in.read(into);
  }
  IoResult write(std::span<const std::byte> bytes) override {
    if (faults.fails()) return {.state = State::failed, .bytes = 0, .failure = "fault"};
    return out.write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  Progress progress() const override {
    return {.written = out.bytes.size(), .acknowledged = acknowledged};
  }
};

std::string frame(int first, const std::string& payload) {
  std::string out(1, static_cast<char>(first));
  if (payload.size() < 126) return out + static_cast<char>(payload.size()) + payload;
  out += '\x7e';
  out += static_cast<char>(payload.size() >> 8);
  out += static_cast<char>(payload.size() & 0xff);
  return out + payload;
}
std::string data(const std::string& payload) {
  return frame(0x82, payload);
}
std::string ping(const std::string& body) {
  return frame(0x89, body);
}
std::string close_with(int code, const std::string& reason = "") {
  return frame(0x88, std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + reason);
}

// The client's frames, unmasked: "data" gathered, the rest told. Independent of the codec.
struct Heard {
  std::string data, told, last_ping;
  bool whole = true;

  explicit Heard(std::string_view bytes) {
    while (whole && bytes.size() >= 2) {
      const auto first = static_cast<unsigned char>(bytes[0]);
      std::size_t size = static_cast<unsigned char>(bytes[1]) & 0x7f, at = 2;
      REQUIRE((static_cast<unsigned char>(bytes[1]) & 0x80) != 0);
      if (size == 126) {
        size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[2])) << 8 |
               static_cast<unsigned char>(bytes[3]);
        at = 4;
      }
      whole = bytes.size() >= at + 4 + size;
      if (!whole) return;
      std::string payload(bytes.substr(at + 4, size));
      for (std::size_t i = 0; i < size; ++i)
        payload[i] = static_cast<char>(payload[i] ^ bytes[at + i % 4]);
      tell(first, payload);
      bytes.remove_prefix(at + 4 + size);
    }
    whole = bytes.empty();
  }

  void tell(unsigned first, const std::string& payload) {
    if (first == 0x82) data += payload;
    if (first == 0x89) told += "ping ", last_ping = payload;
    if (first == 0x8a) told += "pong(" + payload + ") ";
    if (first == 0x88 && payload.empty()) told += "close ";
    if (first == 0x88 && !payload.empty())
      told += "close(" +
              std::to_string((payload[0] & 0xff) << 8 | static_cast<unsigned char>(payload[1])) +
              payload.substr(2) + ") ";
  }
};

struct World {
  Faults faults;
  FakeLocal local{faults};
  FakeTunnel tunnel{faults};
  BufferPool buffers;
  Pump::Time start{}, now{};
  std::string early;
  PumpOptions options{.ping_interval = 30s, .drain = 20s};

  Pump make() {
    return Pump({local, tunnel, buffers}, options, std::as_bytes(std::span(early)), now);
  }

  // One turn of the loop: everything that is waited for happens.
  static void wake(Pump& pump) {
    pump.local_is_readable();
    pump.local_is_writable();
    pump.tunnel_is_readable();
    pump.tunnel_is_writable();
  }

  bool scripts_are_over() const { return local.in.pieces.empty() && tunnel.in.pieces.empty(); }

  // Until the scripts are read and a few turns have changed nothing.
  Pump::Wants settle(Pump& pump) {
    Pump::Wants wants;
    int quiet = 0;
    for (int turn = 0; quiet < 5 && !pump.finished(); ++turn) {
      REQUIRE(turn < 1'000'000);
      const auto before = faults.count;
      const std::size_t sizes = local.out.bytes.size() + tunnel.out.bytes.size();
      wants = pump.step(now);
      wake(pump);
      const bool same = local.out.bytes.size() + tunnel.out.bytes.size() == sizes;
      quiet = same && (scripts_are_over() || faults.count == before) ? quiet + 1 : 0;
    }
    return wants;
  }

  // Lets time pass from deadline to deadline until the end.
  Ending run(Pump& pump) {
    for (int turn = 0;; ++turn) {
      REQUIRE(turn < 1000);
      const Pump::Wants wants = settle(pump);
      if (pump.finished()) break;
      REQUIRE(wants.deadline);
      REQUIRE(*wants.deadline > now);
      now = *wants.deadline;
    }
    return pump.ending(now);
  }
};

}  // namespace

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

TEST_CASE("what followed the upgrade's answer comes first") {
  World world;
  world.early = data("SSH-2.0") + ping("x").substr(0, 2);
  world.tunnel.in.pieces = {ping("x").substr(2) + data("!") + close_with(1000)};
  Pump pump = world.make();
  world.run(pump);
  CHECK(world.local.out.bytes == "SSH-2.0!");
  CHECK(Heard(world.tunnel.out.bytes).told == "pong(x) close(1000) ");
}

TEST_CASE("an idle pump holds no buffer and watches both ends for reading only") {
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

TEST_CASE("backpressure: an end is not read while the other does not take what came") {
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

TEST_CASE("a peer is not called dead while the local end is what stalls") {
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

TEST_CASE("a busy pump gives way after a bounded amount") {
  World world;
  for (int i = 0; i < 40; ++i) world.local.in.pieces.push_back(std::string(60000, 'x'));
  Pump pump = world.make();
  const Pump::Wants wants = pump.step(world.now);
  CHECK(wants.at_once);
  CHECK(world.tunnel.out.bytes.size() < (2 << 20));
}

TEST_CASE("pings are answered between data frames, the latest only") {
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

TEST_CASE("a ping is answered while nothing else is to be said") {
  World world;
  world.tunnel.in.pieces = {ping("quiet")};
  Pump pump = world.make();
  world.settle(pump);
  CHECK(Heard(world.tunnel.out.bytes).told == "pong(quiet) ");
}

TEST_CASE("after the local end of stream, what still comes is delivered") {
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

  SUBCASE("until nothing came for the grace: Close 1000, answered") {
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
  SUBCASE("or Close 1000 is not answered, for a moment") {
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
  SUBCASE("a broken connection is no end of stream") {
    world.tunnel.in.after = State::failed;
    const Ending ending = world.run(pump);
    CHECK(ending.how == Ending::How::cut);
    CHECK(ending.reason == "connection reset");
  }
}

TEST_CASE("pongs do not lengthen the grace") {
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

TEST_CASE("how the peer ends it") {
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

TEST_CASE("nothing after a Close is looked at") {
  World world;
  world.tunnel.in.pieces = {close_with(1000) + data("more") + "\xff\xff\xff"};
  Pump pump = world.make();
  CHECK(world.run(pump).how == Ending::How::closed);
  CHECK(world.local.out.bytes.empty());
}

TEST_CASE("a slow local reader gets all of it, however long it takes after the Close") {
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
  SUBCASE("with a connection that takes it") {
    pump.interrupt(world.now);
    world.settle(pump);
    CHECK(pump.finished());
    CHECK(Heard(world.tunnel.out.bytes).told == "close(1001) ");
  }
  SUBCASE("with one that is stuck, for a second") {
    world.tunnel.out.stuck = true;
    pump.interrupt(world.now);
    world.run(pump);
    CHECK(world.now - world.start <= 1s);
  }
  SUBCASE("with a local reader that is stuck, for a second") {
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

TEST_CASE("a local reader that went away ends it at once") {
  World world;
  Pump pump = world.make();
  SUBCASE("as the loop saw") {
    world.settle(pump);
    pump.local_is_gone();
  }
  SUBCASE("as a write found") {
    world.local.out.refuse = State::ended;
    world.tunnel.in.pieces = {data("x")};
    world.settle(pump);
  }
  CHECK(pump.finished());
  CHECK(Heard(world.tunnel.out.bytes).told == "close(1001) ");
  CHECK(pump.ending(world.now).how == Ending::How::interrupted);
}

TEST_CASE("a local write that fails otherwise is no clean end") {
  World world;
  world.local.out.refuse = State::failed;
  world.tunnel.in.pieces = {data("x")};
  Pump pump = world.make();
  const Ending ending = world.run(pump);
  CHECK(ending.how == Ending::How::cut);
  CHECK(ending.reason == "broken pipe");
}

TEST_CASE("silence is pinged, and ends the tunnel after two pings") {
  World world;
  Pump pump = world.make();
  world.settle(pump);
  world.now += 30s;
  world.settle(pump);
  CHECK(Heard(world.tunnel.out.bytes).told == "ping ");

  SUBCASE("an answer of any kind counts") {
    for (int i = 0; i < 10; ++i) {
      world.tunnel.in.pieces = {i % 2 == 0 ? frame(0x8a, "") : data("x")};
      world.settle(pump);
      world.now += 29s;
      world.settle(pump);
    }
    CHECK_FALSE(pump.finished());
  }
  SUBCASE("while the line still moves towards the ping, it is waited for") {
    const int ping_bytes = static_cast<int>(world.tunnel.out.bytes.size());
    for (int i = 1; i <= ping_bytes; ++i) {
      ++world.tunnel.acknowledged;
      world.now += 30s;
      world.settle(pump);
      CHECK(Heard(world.tunnel.out.bytes).told == (i < ping_bytes ? "ping " : "ping ping "));
    }
    CHECK_FALSE(pump.finished());
  }
  SUBCASE("being acknowledged by the peer's host is no answer") {
    world.tunnel.acknowledged = world.tunnel.out.bytes.size();
    const Ending ending = world.run(pump);
    CHECK(ending.how == Ending::How::cut);
    CHECK(world.now - world.start == 67500ms);
  }
  SUBCASE("what is sent is no sign of life") {
    for (int i = 0; i < 8 && !pump.finished(); ++i) {
      world.local.in.pieces = {"key"};
      world.settle(pump);
      world.now += 10s;
    }
    CHECK(pump.finished());
  }
  SUBCASE("nothing: dead 67.5 s after the last sign of life") {
    const Ending ending = world.run(pump);
    CHECK(ending.how == Ending::How::cut);
    CHECK(ending.reason == "two pings were not answered");
    CHECK(world.now - world.start == 67500ms);
    CHECK(ending.age == 67500ms);
    CHECK(Heard(world.tunnel.out.bytes).told == "ping ping ");
  }
}

TEST_CASE("a ping's way there and back is timed") {
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

TEST_CASE("a peer that stopped listening may still have said why") {
  World world;
  world.local.in.pieces = {"x"};
  world.tunnel.out.refuse = State::failed;
  Pump pump = world.make();
  SUBCASE("it did") {
    world.tunnel.in.pieces = {"", data("last words") + close_with(1011, "full")};
    const Ending ending = world.run(pump);
    CHECK(world.local.out.bytes == "last words");
    CHECK(ending.close_code == 1011);
    CHECK(ending.how == Ending::How::cut);
  }
  SUBCASE("it did not") {
    const Ending ending = world.run(pump);
    CHECK(ending.how == Ending::How::cut);
    CHECK(ending.reason == "broken pipe");
    CHECK(world.now - world.start < 3s);
  }
}

TEST_CASE("every operation failing in turn ends the tunnel, with a true prefix delivered") {
  std::string up, down, stream;
  for (int i = 0; i < 12; ++i) {
    up += "up" + std::to_string(i);
    down += "down" + std::to_string(i);
    stream += data("down" + std::to_string(i)) + (i % 3 == 0 ? ping("p") : "");
  }
  bool failed = true;
  for (int n = 1; failed; ++n) {
    CAPTURE(n);
    World world;
    world.faults.fail_at = n;
    for (std::size_t at = 0; at < up.size(); at += 5)
      world.local.in.pieces.push_back(up.substr(at, 5));
    for (std::size_t at = 0; at < stream.size(); at += 7)
      world.tunnel.in.pieces.push_back(stream.substr(at, 7));
    world.tunnel.in.pieces.push_back(close_with(1000));
    world.local.in.after = State::ended;
    world.local.out = {.bytes = {}, .most = 4, .choppy = true};
    world.tunnel.out = {.bytes = {}, .most = 9, .choppy = true};
    {
      Pump pump = world.make();
      const Ending ending = world.run(pump);
      failed = world.faults.count >= n;
      const Heard heard(world.tunnel.out.bytes);
      CHECK(down.starts_with(world.local.out.bytes));
      CHECK(up.starts_with(heard.data));
      CHECK(ending.received == world.local.out.bytes.size());
      CHECK(ending.sent >= heard.data.size());
      CHECK((ending.how == Ending::How::closed) ==
            (world.local.out.bytes == down && ending.reason.empty()));
      if (!failed) CHECK(ending.how == Ending::How::closed);
    }
    CHECK(world.buffers.lent() == 0);
    REQUIRE(n < 10'000);
  }
}
