// Bytes both ways between a local end and a tunnel, without waiting: the loop outside watches the
// descriptors and the clock and calls step().
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "access/io/stream.hpp"
#include "access/pump/ending.hpp"
#include "access/pump/incoming.hpp"
#include "access/pump/liveness.hpp"
#include "access/pump/outgoing.hpp"
#include "access/pump/round_trip.hpp"

namespace mayfly {

struct PumpOptions {
  std::chrono::milliseconds ping_interval{};
  std::chrono::milliseconds drain{};
};

class Pump {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static Time now() { return std::chrono::steady_clock::now(); }

  struct Ends {
    LocalEnd& local;
    TunnelEnd& tunnel;
    BufferPool& buffers;  // the three outlive the pump
  };
  // early: what followed the upgrade's answer.
  Pump(const Ends& ends, const PumpOptions& options, std::span<const std::byte> early, Time now);
  ~Pump();
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  // What the loop should watch before it calls step() again.
  struct Wants {
    bool local_readable = false, local_writable = false;
    bool tunnel_readable = false, tunnel_writable = false;
    bool at_once = false;  // there is more to do already; others may go first
    std::optional<Time> deadline;
  };
  // Moves what can be moved, up to a bounded amount. Not after finished().
  Wants step(Time now);

  // What the loop saw; to be told before step().
  void local_is_readable() { local_in_.ready(Lane::Wait::readable); }
  void local_is_writable() { local_out_.ready(Lane::Wait::writable); }
  void tunnel_is_readable() { tunnel_is(Lane::Wait::readable); }
  void tunnel_is_writable() { tunnel_is(Lane::Wait::writable); }

  // Pings now, unless a ping is under way or the tunnel is about to end.
  void probe(Time now);

  // By signal: Close 1001 is sent, within a second.
  void interrupt(Time now);
  // Nobody reads the local end any more: over at once.
  void local_is_gone();

  bool finished() const noexcept { return phase_ == Phase::finished; }
  Traffic traffic(Time now) const;
  // Once finished.
  Ending ending(Time now) const;

 private:
  // One direction of one end: what it waits for, if anything.
  struct Lane {
    enum class Wait { nothing, readable, writable } wait = Wait::nothing;
    void ready(Wait for_this) {
      if (wait == for_this) wait = Wait::nothing;
    }
    // Remembers a wait; true for the states that are no wait.
    bool settled(const IoResult& result);
  };
  enum class Phase {
    open,
    closing,  // our Close is out or on its way; the peer's is awaited, bytes still delivered
    leaving,  // how it ended is known; what is left is written out
    finished,
  };

  void tunnel_is(Lane::Wait what);
  bool receive();
  bool fill();
  void parse();
  bool deliver();
  bool send();
  bool flush();
  bool read_local();
  void on_event(const websocket::Event& event);
  void on_peer_close(const websocket::Event& event);
  void close(std::uint16_t code);
  void end_by_tunnel();
  void end_by_local(Ending::How how, std::string_view why);
  void leave(Ending::How how, std::string_view reason);
  void check_time();
  void check_liveness();
  void ping();
  void finish_when_done();
  Wants wants(bool more) const;
  std::optional<Time> deadline() const;
  bool reads_tunnel() const;
  bool reads_local() const;

  Ends ends_;
  PumpOptions options_;
  Time started_, now_;
  Phase phase_ = Phase::open;
  Lane local_in_, local_out_, tunnel_in_, tunnel_out_;
  Incoming incoming_;
  Outgoing outgoing_;
  Liveness liveness_;
  RoundTrip round_trip_;
  bool local_ended_ = false;
  bool sending_broken_ = false;
  std::optional<IoResult> tunnel_ended_;  // seen, but not yet all that came before it is written
  Time last_data_;                        // received, or the local end of stream
  std::optional<Time> close_deadline_;    // for the peer's Close, or for getting ours out
  bool local_may_stall_ = true;           // false: at the deadline even undelivered bytes are left
  Ending ending_;
};

}  // namespace mayfly
