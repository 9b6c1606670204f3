#include "access/tunnel/tunnel_run.hpp"

#include <fmt/core.h>
#include <sys/socket.h>

#include <asio/post.hpp>
#include <chrono>
#include <span>
#include <utility>

#include "access/system/peer_text.hpp"

namespace mayfly {
TunnelRun::TunnelRun(const asio::any_io_executor& executor, Parts parts, BufferPool& buffers,
                     const PumpOptions& options)
    : executor_(executor),
      parts_(std::move(parts)),
      local_(parts_.socket.get(), parts_.socket.get(), parts_.peers),
      timer_(executor),
      pump_({observed(local_, parts_.observer, observed_), *parts_.open.stream, buffers}, options,
            std::as_bytes(std::span(parts_.open.early)), Pump::now()) {
  socket_.readable = &Pump::local_is_readable;
  socket_.writable = &Pump::local_is_writable;
  tunnel_.readable = &Pump::tunnel_is_readable;
  tunnel_.writable = &Pump::tunnel_is_writable;
  parts_.open.early = {};
}

void TunnelRun::start(Ended ended) {
  ended_ = std::move(ended);
  watch(socket_, parts_.socket.get());
  watch(tunnel_, parts_.open.stream->descriptor());
  if (socket_.watched) watch_reader();
  advance();
}

void TunnelRun::watch(Side& side, int descriptor) {
  side.run = this;
  if (parts_.events != nullptr) side.registration = parts_.events->add(descriptor, side);
  if (!side.registration) side.watched.emplace(executor_, descriptor);
}

// Before the descriptor is closed. The object that Asio's handlers refer to stays.
void TunnelRun::release(Side& side) {
  side.registration.reset();
  if (side.watched) side.watched->release();
}

std::string TunnelRun::name() const {
  std::string peer = peer_text(parts_.socket.get());
  if (parts_.name.empty()) return peer;
  return fmt::format("{} for {}", parts_.name, peer);
}

std::optional<Traffic> TunnelRun::traffic() const {
  return ended_ ? std::optional(pump_.traffic(Pump::now())) : std::nullopt;
}

void TunnelRun::probe() {
  if (!ended_) return;
  pump_.probe(Pump::now());
  advance();
}

void TunnelRun::interrupt() {
  if (!ended_) return;
  pump_.interrupt(Pump::now());
  advance();
}

void TunnelRun::abandon() {
  pump_.abandon();
  finish();
}

void TunnelRun::on_ready(Side& side, const Readiness& readiness) {
  if (!ended_) return;
  const auto self = shared_from_this();
  side.has_ended = side.has_ended || readiness.has_ended;
  side.is_broken = side.is_broken || readiness.is_broken;
  if (&side == &socket_)
    local_.has_changed();
  else
    parts_.open.stream->has_changed();
  if (readiness.is_urgent) side.more_reads = 2;  // the first may only say that the last was short
  if (readiness.readable) (pump_.*side.readable)();
  if (readiness.writable) (pump_.*side.writable)();
  if (readiness.is_broken && &side == &socket_ && reader_is_gone(parts_.socket.get()))
    pump_.local_is_gone();
  advance();
}

void TunnelRun::advance() {
  const Pump::Wants wants = pump_.finished() ? Pump::Wants{} : pump_.step(Pump::now());
  if (pump_.finished()) return finish();
  arm(socket_, {wants.local_readable, wants.local_writable});
  arm(tunnel_, {wants.tunnel_readable, wants.tunnel_writable});
  arm_timer(wants.deadline);
  if (wants.at_once) again();
}

void TunnelRun::arm(Side& side, Wanted wanted) {
  if (!side.registration) {
    if (wanted.readable) wait_for(side, For::wait_read, side.waits_to_read);
    if (wanted.writable) wait_for(side, For::wait_write, side.waits_to_write);
    return;
  }
  if (wanted.writable) side.registration->watch_writing();
  // A read that emptied the socket may have seen the end of stream without telling it.
  const bool reads = wanted.readable && (side.has_ended || side.more_reads > 0);
  const bool writes = wanted.writable && side.is_broken;
  if (reads) (pump_.*side.readable)();
  if (reads && side.more_reads > 0) --side.more_reads;
  if (writes) (pump_.*side.writable)();
  if (reads || writes) again();
}

void TunnelRun::wait_for(Side& side, For what, bool& waits) {
  if (waits) return;
  waits = true;
  side.watched->wait(what, [self = shared_from_this(), &side, what, &waits](const auto& error) {
    waits = false;
    if (!self->ended_ || error) return;
    (self->pump_.*(what == For::wait_read ? side.readable : side.writable))();
    self->advance();
  });
}

// Leaves a timer that fires before the deadline as it is: it finds nothing to do and is set again,
// which is cheaper than setting it with each byte.
void TunnelRun::arm_timer(const std::optional<Pump::Time>& deadline) {
  if (!deadline || (timer_at_ && *timer_at_ <= *deadline)) return;
  timer_at_ = deadline;
  timer_.expires_at(*deadline);
  if (parts_.events != nullptr) parts_.events->poll_asio();  // it may have cancelled a wait
  timer_.async_wait([self = shared_from_this()](const auto& error) {
    if (error || !self->ended_) return;
    self->timer_at_.reset();
    self->advance();
  });
}

void TunnelRun::again() {
  if (again_posted_) return;
  again_posted_ = true;
  auto once_more = [self = shared_from_this()] {
    self->again_posted_ = false;
    if (self->ended_) self->advance();
  };
  if (socket_.registration) {
    parts_.events->call(std::move(once_more));
    return;
  }
  asio::post(executor_, std::move(once_more));
  if (parts_.events != nullptr) parts_.events->poll_asio();
}

// Notices that the local program has gone away, even while there is nothing to write to it.
void TunnelRun::watch_reader() {
  socket_.watched->wait(For::wait_error, [self = shared_from_this()](const auto& error) {
    if (error || !self->ended_ || !reader_is_gone(self->parts_.socket.get())) return;
    self->pump_.local_is_gone();
    self->advance();
  });
}

void TunnelRun::finish() {
  if (!ended_) return;
  const Ended ended = std::exchange(ended_, nullptr);
  timer_.cancel();
  if (parts_.events != nullptr) parts_.events->poll_asio();
  release(socket_);
  release(tunnel_);
  parts_.open.stream.reset();
  // Closing does not end the connection while a login process holds a copy of the descriptor.
  shutdown(parts_.socket.get(), SHUT_RDWR);
  parts_.socket = {};
  Ending ending = pump_.ending(Pump::now());
  ending.ray = parts_.open.ray;
  ending.name = parts_.name;
  ended(ending);
}

}  // namespace mayfly
