// Moves bytes in both directions between a local end and a tunnel, without waiting: the loop around
// it watches the descriptors and the clock, and calls step().
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "access/io/stream.hpp"
#include "access/pump/incoming.hpp"
#include "access/pump/liveness.hpp"
#include "access/pump/outgoing.hpp"
#include "access/pump/traffic.hpp"

namespace mayfly {

struct PumpOptions {
  std::chrono::milliseconds ping_interval{};  // 0: no pings
  // How long to wait for more bytes from the tunnel after the local end of stream. A local program
  // that is known to wait for them is given 30 s at least.
  std::chrono::milliseconds linger{};
  // The least of it for a local program that has finished sending and is known to wait.
  std::chrono::milliseconds linger_for_waiting = std::chrono::seconds(30);
};

class Pump {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static Time now() { return std::chrono::steady_clock::now(); }

  // All three must outlive the pump.
  struct Ends {
    LocalEnd& local;
    TunnelEnd& tunnel;
    BufferPool& buffers;
  };
  // early: the bytes that followed the upgrade's answer.
  Pump(const Ends& ends, const PumpOptions& options, std::span<const std::byte> early, Time now);
  ~Pump();
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  // The readiness that the loop has to wait for before it calls step() again.
  struct Wants {
    bool local_readable = false, local_writable = false;
    bool tunnel_readable = false, tunnel_writable = false;
    bool at_once = false;  // there is more to do: call step() after serving other connections
    std::optional<Time> deadline;
  };
  // Moves a bounded number of bytes. Not after finished().
  Wants step(Time now);

  // Tell the pump, before step(), that a descriptor is ready.
  void local_is_readable() { local_in_.ready(Lane::Wait::readable); }
  void local_is_writable() { local_out_.ready(Lane::Wait::writable); }
  void tunnel_is_readable() { tunnel_is(Lane::Wait::readable); }
  void tunnel_is_writable() { tunnel_is(Lane::Wait::writable); }

  // Pings now, unless a ping is unanswered or the tunnel is closing.
  void probe(Time now);

  // Ends the tunnel within a second, because of a signal: sends Close 1001 and does not wait for
  // the peer or the local end.
  void interrupt(Time now);
  // Ends the tunnel because the local program has stopped reading: at once, or, if it has closed
  // its connection, after its last bytes were sent.
  void local_is_gone();
  // Ends the tunnel at once. Sends Close 1001 if the tunnel takes it without waiting.
  void abandon();

  bool finished() const noexcept { return phase_ == Phase::finished; }
  // Whether local_is_gone() was called, or the pump has noticed it by itself.
  bool is_unread() const noexcept { return is_unread_; }
  Traffic traffic(Time now) const;
  // Only once finished().
  Ending ending(Time now) const;

 private:
  // A direction of an end, and the readiness that it waits for.
  struct Lane {
    enum class Wait { nothing, readable, writable } wait = Wait::nothing;
    void ready(Wait for_this) {
      if (wait == for_this) wait = Wait::nothing;
    }
    // Records whether the result is a wait. Returns true if it is not.
    bool settled(const IoResult& result);
  };
  // In the order in which a pump passes through them; it may skip some.
  enum class Phase {
    open,
    draining,  // the local end of stream was read; bytes from the tunnel are delivered
    closing,   // our Close is sent or waits; the peer's is awaited, and bytes are delivered
    broken,    // writing to the tunnel failed; bytes that the peer sent before are delivered
    leaving,   // the ending is known; what waits is written out
    finished,
  };

  bool is_running() const noexcept { return phase_ <= Phase::draining; }
  bool reads_tunnel() const;
  bool is_drained() const;
  Time drained_at() const;
  void tunnel_is(Lane::Wait ready);
  bool receive();
  bool fill();
  void parse();
  bool deliver();
  bool send();
  bool flush();
  bool read_local();
  void begin_to_drain();
  void look_for_local();
  void on_event(const websocket::Event& event);
  void on_peer_close(const websocket::Event& event);
  void close(std::uint16_t code);
  void end_by_tunnel();
  void end_by_local(Ending::How how, std::string_view why);
  void leave(Ending::How how, std::string_view reason);
  void check_time();
  void on_close_deadline();
  void check_liveness();
  void ping();
  void finish_when_done();
  Wants wants(bool more) const;
  std::optional<Time> deadline() const;

  Ends ends_;
  PumpOptions options_;
  Time started_, now_;
  Phase phase_ = Phase::open;
  Lane local_in_, local_out_, tunnel_in_, tunnel_out_;
  Incoming incoming_;
  Outgoing outgoing_;
  Liveness liveness_;
  RoundTrip round_trip_;
  std::optional<IoResult> tunnel_ended_;    // the end of stream or failure that the tunnel returned
  Time last_data_;                          // when payload, or the local end of stream, came last
  bool is_unread_ = false;                  // the local program is gone: payload for it is dropped
  std::chrono::milliseconds look_again_{};  // the time between two looks at the local program
  Time next_look_;                          // only while draining
  std::optional<Time> close_deadline_;      // for the peer's Close, or for writing ours
  bool interrupted_ = false;                // undelivered bytes are dropped at the deadline
  Ending ending_;
};

}  // namespace mayfly
