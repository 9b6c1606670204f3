#include "access/pump/pump.hpp"

#include <algorithm>
#include <bit>

#include "access/core/text.hpp"

namespace mayfly {
namespace {

using namespace std::chrono_literals;
using websocket::Event;
namespace close_code = websocket::close_code;

// At most 1 MiB in each direction, before signals, timers and other tunnels get their turn.
constexpr int rounds_per_step = 16;
constexpr std::uint64_t ping_size = 6 + RoundTrip::body_size;  // the frame, without TLS
constexpr auto close_patience = 1500ms;                        // for the peer's Close after ours
constexpr auto goodbye_patience = 1s;                          // for writing our Close
// A program that ends is seen to be gone shortly after its end of stream.
constexpr auto first_looks = 10ms, last_looks = 500ms;

bool is_clean(std::uint16_t code) {
  return code == close_code::normal || code == close_code::going_away ||
         code == close_code::no_status;
}

}  // namespace

Pump::Pump(const Ends& ends, const PumpOptions& options, std::span<const std::byte> early, Time now)
    : ends_(ends),
      options_(options),
      started_(now),
      now_(now),
      liveness_(options.ping_interval, now),
      last_data_(now),
      next_look_(now) {
  incoming_.preload(early, ends_.buffers);
}

Pump::~Pump() {
  outgoing_.drop(ends_.buffers);
  incoming_.discard(ends_.buffers);
}

bool Pump::Lane::settled(const IoResult& result) {
  if (result.state == IoResult::State::wait_readable) wait = Wait::readable;
  if (result.state == IoResult::State::wait_writable) wait = Wait::writable;
  return wait == Wait::nothing;
}

void Pump::tunnel_is(Lane::Wait ready) {
  tunnel_in_.ready(ready);
  tunnel_out_.ready(ready);
}

Pump::Wants Pump::step(Time now) {
  now_ = now;
  bool more = true;
  for (int round = 0; more && round < rounds_per_step && !finished(); ++round) {
    const bool received = receive();
    const bool sent = send();
    more = received || sent;
    finish_when_done();
  }
  if (!finished()) check_time();
  return wants(more);
}

// --- from the tunnel to the local end ---

bool Pump::reads_tunnel() const {
  return phase_ < Phase::leaving && !tunnel_ended_ && incoming_.empty();
}

bool Pump::receive() {
  if (finished()) return false;
  bool moved = deliver();
  if (incoming_.has_payload()) return moved;
  if (incoming_.has_input() || fill()) {
    parse();
    deliver();
    moved = true;
  }
  if (incoming_.empty() && tunnel_ended_) end_by_tunnel();
  return moved;
}

bool Pump::fill() {
  if (!reads_tunnel() || tunnel_in_.wait != Lane::Wait::nothing) return false;
  IoResult result = incoming_.fill(ends_.tunnel, ends_.buffers);
  const bool some = result.bytes > 0;
  if (some) liveness_.progress(now_);
  if (tunnel_in_.settled(result) && result.state != IoResult::State::moved)
    tunnel_ended_ = std::move(result);
  return some;
}

void Pump::parse() {
  while (const std::optional<Event> event = incoming_.parse()) on_event(*event);
  if (incoming_.has_payload()) last_data_ = now_;
}

void Pump::on_event(const Event& event) {
  switch (event.kind) {
    case Event::Kind::ping:
      return outgoing_.add_pong(event.payload);
    case Event::Kind::close:
      return on_peer_close(event);
    case Event::Kind::violation:
      incoming_.drop_input();
      outgoing_.add_close(event.code);
      return leave(Ending::How::violation, event.problem);
    case Event::Kind::pong:
      return round_trip_.answered(event.payload, now_);
    default:
      return;
  }
}

void Pump::on_peer_close(const Event& event) {
  incoming_.drop_input();
  outgoing_.add_close(event.code);  // RFC 6455 section 5.5.1; ignored if ours was sent before
  if (phase_ == Phase::leaving) return;
  ending_.close_code = event.code;
  leave(is_clean(event.code) ? Ending::How::closed : Ending::How::cut,
        {std::bit_cast<const char*>(event.payload.data()), event.payload.size()});
}

bool Pump::deliver() {
  if (!incoming_.has_payload()) return false;
  if (is_unread_) {
    incoming_.drop_payload();
    incoming_.rest(ends_.buffers);
    return true;
  }
  if (local_out_.wait != Lane::Wait::nothing) return false;
  const auto before = incoming_.payload_written();
  const IoResult result = incoming_.write(ends_.local);
  if (result.state == IoResult::State::ended) {
    local_is_gone();
    return is_unread_;
  }
  if (result.state == IoResult::State::failed)
    end_by_local(Ending::How::undelivered, result.failure);
  if (!local_out_.settled(result) || finished()) return false;
  incoming_.rest(ends_.buffers);
  return incoming_.payload_written() > before;
}

// Without a Close, the end of the connection is a clean ending only if the local end of stream came
// before and everything was sent.
void Pump::end_by_tunnel() {
  if (phase_ >= Phase::leaving) return;
  if (phase_ == Phase::broken) return leave(Ending::How::cut, ending_.reason);
  if (phase_ == Phase::closing) return leave(Ending::How::closed, "");
  if (tunnel_ended_->state == IoResult::State::failed)
    return leave(Ending::How::cut, tunnel_ended_->failure);
  if (phase_ == Phase::draining && outgoing_.empty()) return leave(Ending::How::closed, "");
  leave(Ending::How::cut, "the connection ended without a Close");
}

// --- from the local end to the tunnel ---

bool Pump::send() {
  if (finished()) return false;
  bool moved = flush();
  if (read_local()) moved = flush() || moved;
  return moved;
}

bool Pump::flush() {
  if (outgoing_.empty() || tunnel_out_.wait != Lane::Wait::nothing) return false;
  const IoResult result = outgoing_.write(ends_.tunnel, ends_.buffers);
  if (!tunnel_out_.settled(result) || result.state == IoResult::State::moved)
    return result.bytes > 0;
  outgoing_.drop(ends_.buffers);
  if (phase_ == Phase::leaving) return true;
  phase_ = Phase::broken;
  if (!close_deadline_) close_deadline_ = now_ + close_patience;
  ending_.reason = result.failure;
  return true;
}

bool Pump::read_local() {
  if (phase_ != Phase::open || !outgoing_.takes_data() || local_in_.wait != Lane::Wait::nothing)
    return false;
  BufferPool::Buffer buffer = ends_.buffers.take();
  const IoResult result = ends_.local.read(Outgoing::payload_room(buffer));
  if (result.state == IoResult::State::moved) {
    outgoing_.add_data(std::move(buffer), result.bytes);
    return true;
  }
  ends_.buffers.give_back(std::move(buffer));
  if (!local_in_.settled(result)) return false;
  if (result.state == IoResult::State::failed && !is_unread_)
    end_by_local(Ending::How::interrupted, result.failure);
  else
    begin_to_drain();
  return false;
}

void Pump::begin_to_drain() {
  phase_ = Phase::draining;
  last_data_ = next_look_ = now_;
  look_again_ = first_looks;
}

void Pump::look_for_local() {
  if (phase_ != Phase::draining || is_unread_ || now_ < next_look_) return;
  const Presence presence = ends_.local.presence();
  if (presence == Presence::gone) is_unread_ = true;
  if (presence == Presence::there)
    options_.linger = std::max(options_.linger, options_.linger_for_waiting);
  next_look_ = presence == Presence::there ? now_ + look_again_ : Time::max();
  look_again_ = std::min<std::chrono::milliseconds>(2 * look_again_, last_looks);
}

// --- the end ---

void Pump::close(std::uint16_t code) {
  outgoing_.add_close(code);
  phase_ = Phase::closing;
  close_deadline_ = now_ + close_patience;
  flush();
}

void Pump::leave(Ending::How how, std::string_view reason) {
  if (phase_ == Phase::broken) outgoing_.drop(ends_.buffers);
  phase_ = Phase::leaving;
  ending_.how = how;
  ending_.reason = printable(reason);
  close_deadline_ = now_ + goodbye_patience;
}

void Pump::interrupt(Time now) {
  now_ = now;
  interrupted_ = true;
  if (phase_ >= Phase::leaving) return;
  outgoing_.add_close(close_code::going_away);
  leave(Ending::How::interrupted, "interrupted");
}

void Pump::local_is_gone() {
  if (!ends_.local.is_connection() || !is_running()) return abandon();
  is_unread_ = true;
  local_in_.wait = Lane::Wait::nothing;
}

void Pump::abandon() {
  end_by_local(Ending::How::interrupted, "the local reader went away");
}

void Pump::end_by_local(Ending::How how, std::string_view why) {
  if (finished()) return;
  outgoing_.add_close(close_code::going_away);
  // A clean close does not count, since bytes that came before it were not delivered.
  if (phase_ != Phase::leaving || ending_.how == Ending::How::closed) leave(how, why);
  flush();
  phase_ = Phase::finished;
}

void Pump::finish_when_done() {
  if (phase_ == Phase::leaving && incoming_.empty() && outgoing_.empty()) phase_ = Phase::finished;
}

void Pump::check_time() {
  if (close_deadline_ && now_ >= *close_deadline_) return on_close_deadline();
  if (!is_running()) return;
  look_for_local();
  if (is_drained() && now_ >= drained_at()) return close(close_code::normal);
  check_liveness();
}

void Pump::on_close_deadline() {
  if (phase_ == Phase::closing) leave(Ending::How::closed, ending_.reason);
  if (phase_ == Phase::broken) leave(Ending::How::cut, ending_.reason);
  outgoing_.drop(ends_.buffers);
  if (interrupted_) phase_ = Phase::finished;
  finish_when_done();
}

// Whether the local end of stream was read and nothing waits that somebody would take.
bool Pump::is_drained() const {
  return phase_ == Phase::draining && outgoing_.empty() && (incoming_.empty() || is_unread_);
}

Pump::Time Pump::drained_at() const {
  return is_unread_ ? last_data_ : last_data_ + options_.linger;
}

void Pump::check_liveness() {
  // The tunnel is not read while the local end stalls, so silence says nothing about the peer.
  if (!incoming_.empty()) return liveness_.progress(now_);
  const auto due = liveness_.due();
  if (!due || now_ < *due) return;
  const TunnelEnd::Progress progress = ends_.tunnel.progress();
  const std::uint64_t end = progress.written + outgoing_.pending();
  switch (liveness_.tick(
      now_, {.end = end + ping_size,
             .acknowledged = progress.acknowledged,
             .held_up = progress.host_answers && progress.acknowledged < progress.written})) {
    case Liveness::Verdict::fine:
      return;
    case Liveness::Verdict::ping:
      return ping();
    case Liveness::Verdict::dead:
      outgoing_.drop(ends_.buffers);
      leave(Ending::How::cut, "two pings were not answered");
      phase_ = Phase::finished;
  }
}

void Pump::ping() {
  outgoing_.add_ping(round_trip_.begin(now_));
  flush();
}

void Pump::probe(Time now) {
  now_ = now;
  if (is_running() && !round_trip_.under_way()) ping();
}

Pump::Wants Pump::wants(bool more) const {
  if (finished()) return {};
  const bool reads = reads_tunnel(), writes = !outgoing_.empty();
  const bool reads_local = phase_ == Phase::open && outgoing_.takes_data();
  const auto waits = [](bool wanted, const Lane& lane, Lane::Wait readiness) {
    return wanted && lane.wait == readiness;
  };
  return {.local_readable = waits(reads_local, local_in_, Lane::Wait::readable),
          .local_writable = waits(incoming_.has_payload(), local_out_, Lane::Wait::writable),
          .tunnel_readable = waits(reads, tunnel_in_, Lane::Wait::readable) ||
                             waits(writes, tunnel_out_, Lane::Wait::readable),
          .tunnel_writable = waits(reads, tunnel_in_, Lane::Wait::writable) ||
                             waits(writes, tunnel_out_, Lane::Wait::writable),
          .at_once = more,
          .deadline = deadline()};
}

std::optional<Pump::Time> Pump::deadline() const {
  if (!is_running()) {
    // Once our Close is sent or given up, only the local end has bytes to take.
    if (phase_ == Phase::leaving && outgoing_.empty() && !interrupted_) return std::nullopt;
    return close_deadline_;
  }
  auto next = liveness_.due();
  const auto at = [&next](Time time) { next = next ? std::min(*next, time) : time; };
  if (is_drained()) at(drained_at());
  if (phase_ == Phase::draining && !is_unread_ && next_look_ != Time::max()) at(next_look_);
  return next;
}

Traffic Pump::traffic(Time now) const {
  return {.sent = outgoing_.payload_sent(),
          .received = incoming_.payload_written(),
          .age = std::chrono::duration_cast<std::chrono::milliseconds>(now - started_),
          .round_trip = round_trip_.last()};
}

Ending Pump::ending(Time now) const {
  Ending ending = ending_;
  static_cast<Traffic&>(ending) = traffic(now);
  return ending;
}

}  // namespace mayfly
