// Support for tests of the pump: ends in memory, and a clock that the test moves.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <string>

#include "access/pump/pump.hpp"

namespace mayfly::pump_test {

using namespace std::chrono_literals;
using State = IoResult::State;

enum class Operation { local_read, local_write, tunnel_read, tunnel_write };

// Counts the operations of both ends and changes the result of one of them.
struct Faults {
  int fail_at = 0;  // which operation, from 1; 0: none
  int count = 0;
  State comes_to = State::failed;  // wait_*: this operation stalls from then on
  std::optional<Operation> stalled = {};

  std::optional<IoResult> at(Operation operation) {
    if (stalled == operation) return waiting(operation);
    if (++count != fail_at) return std::nullopt;
    if (comes_to == State::failed || comes_to == State::ended)
      return IoResult{.state = comes_to, .bytes = 0, .failure = "fault"};
    stalled = operation;
    return waiting(operation);
  }

  static IoResult waiting(Operation operation) {
    const bool reads = operation == Operation::local_read || operation == Operation::tunnel_read;
    return {.state = reads ? State::wait_readable : State::wait_writable};
  }
};

// The bytes that an end returns, piece by piece; for "" a read waits. `after` follows the last
// piece.
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

// The bytes that were written to an end, which takes at most `most` at a time. If it is choppy,
// every other write waits.
struct Record {
  std::string bytes;
  std::size_t most = 1 << 30;
  bool choppy = false, stuck = false;
  State refuse = State::moved;  // another state: the result of each write
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
  bool connection = false;
  Presence now = Presence::unknown;
  bool is_connection() const override { return connection; }
  Presence presence() override { return now; }
  IoResult read(std::span<std::byte> into) override {
    if (const auto fault = faults.at(Operation::local_read)) return *fault;
    return in.read(into);
  }
  IoResult write(std::span<const iovec> pieces) override {
    if (const auto fault = faults.at(Operation::local_write)) return *fault;
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
  bool host_answers = false;
  IoResult read(std::span<std::byte> into) override {
    if (const auto fault = faults.at(Operation::tunnel_read)) return *fault;
    return in.read(into);
  }
  IoResult write(std::span<const std::byte> bytes) override {
    if (const auto fault = faults.at(Operation::tunnel_write)) return *fault;
    return out.write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  Progress progress() const override {
    return {
        .written = out.bytes.size(), .acknowledged = acknowledged, .host_answers = host_answers};
  }
};

inline std::string frame(int first, const std::string& payload) {
  std::string out(1, static_cast<char>(first));
  if (payload.size() < 126) return out + static_cast<char>(payload.size()) + payload;
  out += '\x7e';
  out += static_cast<char>(payload.size() >> 8);
  out += static_cast<char>(payload.size() & 0xff);
  return out + payload;
}
inline std::string data(const std::string& payload) {
  return frame(0x82, payload);
}
inline std::string ping(const std::string& body) {
  return frame(0x89, body);
}
inline std::string close_with(int code, const std::string& reason = "") {
  return frame(0x88, std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + reason);
}

// Decodes the client's frames without the codec: payload is in `data`, control frames are in
// `told`.
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
  PumpOptions options{.ping_interval = 30s, .linger = 20s};

  Pump make() {
    return Pump({local, tunnel, buffers}, options, std::as_bytes(std::span(early)), now);
  }

  // One turn of the loop, in which both ends become ready.
  static void wake(Pump& pump) {
    pump.local_is_readable();
    pump.local_is_writable();
    pump.tunnel_is_readable();
    pump.tunnel_is_writable();
  }

  bool scripts_are_over() const { return local.in.pieces.empty() && tunnel.in.pieces.empty(); }

  // Steps until the scripts are read and a few turns have changed nothing.
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

  // Moves the clock from deadline to deadline until the end.
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

}  // namespace mayfly::pump_test
