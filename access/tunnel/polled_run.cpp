#include "access/tunnel/polled_run.hpp"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "access/io/local_descriptors.hpp"
#include "access/pump/observed_end.hpp"
#include "access/system/interrupt.hpp"
#include "access/system/report_signal.hpp"

namespace mayfly {
namespace {

constexpr short broken = POLLERR | POLLHUP | POLLNVAL;

// Returns the timeout for poll(2) in ms, rounded up so that poll does not end before the deadline.
int poll_timeout(const Pump::Wants& wants) {
  if (wants.at_once) return 0;
  if (!wants.deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*wants.deadline - Pump::now());
  return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, INT_MAX));
}

short events(bool readable, bool writable) {
  return static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
}

void require_open(int descriptor) {
  if (fcntl(descriptor, F_GETFL) < 0) throw std::system_error(errno, std::system_category());
}

class PolledRun {
 public:
  PolledRun(PolledParts parts, const PumpOptions& options)
      : parts_(std::move(parts)),
        local_(parts_.local_in, parts_.local_out),
        pump_({observed(local_, parts_.observer, observed_), *parts_.open.stream, buffers_},
              options, std::as_bytes(std::span(parts_.open.early)), Pump::now()) {
    parts_.open.early = {};
    watched_[signals] = {.fd = parts_.interrupted, .events = POLLIN, .revents = 0};
    watched_[reports] = {
        .fd = parts_.report ? report_descriptor() : -1, .events = POLLIN, .revents = 0};
  }

  Ending run();

 private:
  enum Watched { in, out, tunnel, signals, reports, count };

  void watch(const Pump::Wants& wants);
  void handle_events();
  void interrupt();
  void begin_report();
  void finish_report();

  PolledParts parts_;
  LocalDescriptors local_;
  std::optional<ObservedEnd> observed_;  // wraps local_ if there is an observer
  BufferPool buffers_;
  Pump pump_;
  std::array<pollfd, count> watched_{};
  std::optional<Traffic> seen_;  // at the beginning of the report that is under way
  Pump::Time report_at_{};       // when that report is due
};

Ending PolledRun::run() {
  while (!pump_.finished()) {
    Pump::Wants wants = pump_.step(Pump::now());
    if (pump_.finished()) break;
    watch(wants);
    if (seen_) wants.deadline = std::min(report_at_, wants.deadline.value_or(report_at_));
    if (poll(watched_.data(), watched_.size(), poll_timeout(wants)) > 0) handle_events();
    if (seen_ && Pump::now() >= report_at_) finish_report();
  }
  parts_.open.stream.reset();
  Ending ending = pump_.ending(Pump::now());
  ending.ray = parts_.open.ray;
  return ending;
}

// Descriptors that the pump does not wait for are not watched, since poll(2) would return at once
// for each end of stream. The exception is stdout: ssh ends its ProxyCommand by closing both pipes,
// and this has to be noticed even while there is nothing to write.
void PolledRun::watch(const Pump::Wants& wants) {
  const short of_tunnel = events(wants.tunnel_readable, wants.tunnel_writable);
  watched_[in] = {
      .fd = wants.local_readable ? parts_.local_in : -1, .events = POLLIN, .revents = 0};
  watched_[out] = {.fd = pump_.is_unread() ? -1 : parts_.local_out,
                   .events = events(false, wants.local_writable),
                   .revents = 0};
  watched_[tunnel] = {.fd = of_tunnel != 0 ? parts_.open.stream->descriptor() : -1,
                      .events = of_tunnel,
                      .revents = 0};
}

void PolledRun::handle_events() {
  if (watched_[signals].revents != 0) interrupt();
  if (watched_[reports].revents != 0) begin_report();
  if (watched_[in].revents != 0) pump_.local_is_readable();
  if ((watched_[out].revents & POLLOUT) != 0) pump_.local_is_writable();
  if ((watched_[tunnel].revents & (POLLIN | broken)) != 0) pump_.tunnel_is_readable();
  if ((watched_[tunnel].revents & (POLLOUT | broken)) != 0) pump_.tunnel_is_writable();
  if ((watched_[out].revents & broken) != 0) pump_.local_is_gone();
}

void PolledRun::interrupt() {
  watched_[signals].fd = -1;
  interrupted_by() == SIGHUP ? pump_.abandon() : pump_.interrupt(Pump::now());
}

// Further requests are answered after this one.
void PolledRun::begin_report() {
  take_report_request();
  watched_[reports].fd = -1;
  seen_ = pump_.traffic(Pump::now());
  report_at_ = Pump::now() + report_time;
  pump_.probe(Pump::now());
}

void PolledRun::finish_report() {
  parts_.report({report_between(parts_.name, *seen_, pump_.traffic(Pump::now()))});
  seen_.reset();
  watched_[reports].fd = report_descriptor();
}

}  // namespace

Ending run_polled(PolledParts parts, const PumpOptions& options) {
  require_open(parts.local_in);
  require_open(parts.local_out);
  return PolledRun(std::move(parts), options).run();
}

}  // namespace mayfly
