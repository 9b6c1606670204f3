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
      socket_(executor, parts_.socket.get()),
      tunnel_(executor, parts_.open.stream->descriptor()),
      timer_(executor),
      pump_({observed(local_, parts_.observer, observed_), *parts_.open.stream, buffers}, options,
            std::as_bytes(std::span(parts_.open.early)), Pump::now()) {
  waits_[0] = {&socket_, For::wait_read, &Pump::local_is_readable};
  waits_[1] = {&socket_, For::wait_write, &Pump::local_is_writable};
  waits_[2] = {&tunnel_, For::wait_read, &Pump::tunnel_is_readable};
  waits_[3] = {&tunnel_, For::wait_write, &Pump::tunnel_is_writable};
  parts_.open.early = {};
}

void TunnelRun::start(Ended ended) {
  ended_ = std::move(ended);
  watch_reader();
  advance();
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

void TunnelRun::advance() {
  const Pump::Wants wants = pump_.finished() ? Pump::Wants{} : pump_.step(Pump::now());
  if (pump_.finished()) return finish();
  arm(wants.local_readable, waits_[0]);
  arm(wants.local_writable, waits_[1]);
  arm(wants.tunnel_readable, waits_[2]);
  arm(wants.tunnel_writable, waits_[3]);
  arm_timer(wants.deadline);
  if (wants.at_once) again();
}

void TunnelRun::arm(bool wanted, Wait& wait) {
  if (!wanted || wait.armed) return;
  wait.armed = true;
  wait.descriptor->wait(wait.side, [self = shared_from_this(), &wait](const auto& error) {
    wait.armed = false;
    if (!self->ended_ || error) return;
    (self->pump_.*wait.ready)();
    self->advance();
  });
}

// Leaves a timer that fires before the deadline as it is: it finds nothing to do and is set again,
// which is cheaper than setting it with each byte.
void TunnelRun::arm_timer(const std::optional<Pump::Time>& deadline) {
  if (!deadline || (timer_at_ && *timer_at_ <= *deadline)) return;
  timer_at_ = deadline;
  timer_.expires_at(*deadline);
  timer_.async_wait([self = shared_from_this()](const auto& error) {
    if (error || !self->ended_) return;
    self->timer_at_.reset();
    self->advance();
  });
}

void TunnelRun::again() {
  if (again_posted_) return;
  again_posted_ = true;
  asio::post(executor_, [self = shared_from_this()] {
    self->again_posted_ = false;
    if (self->ended_) self->advance();
  });
}

// Notices that the local program has gone away, even while there is nothing to write to it.
void TunnelRun::watch_reader() {
  socket_.wait(For::wait_error, [self = shared_from_this()](const auto& error) {
    if (error || !self->ended_ || !reader_is_gone(self->parts_.socket.get())) return;
    self->pump_.local_is_gone();
    self->advance();
  });
}

void TunnelRun::finish() {
  if (!ended_) return;
  const Ended ended = std::exchange(ended_, nullptr);
  timer_.cancel();
  socket_.release();
  tunnel_.release();
  parts_.open.stream.reset();
  // Closing does not end the connection while a login process holds a copy of the descriptor.
  shutdown(parts_.socket.get(), SHUT_RDWR);
  parts_.socket = {};
  Ending ending = pump_.ending(Pump::now());
  ending.ray = parts_.open.ray;
  ended(ending);
}

}  // namespace mayfly
