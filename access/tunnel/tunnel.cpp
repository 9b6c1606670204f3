#include "access/tunnel/tunnel.hpp"

#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <system_error>

#include "access/answer/refusal.hpp"
#include "access/core/error.hpp"
#include "access/dial/dial.hpp"
#include "access/io/interrupt_watch.hpp"
#include "access/io/local_descriptors.hpp"
#include "access/io/run_to_end.hpp"
#include "access/system/ignored_signal.hpp"
#include "access/system/platform.hpp"
#include "access/tunnel/open_connection.hpp"
#include "access/tunnel/polled_run.hpp"

namespace mayfly {
namespace {

using Waiting = std::function<void(std::chrono::seconds)>;

// While it lives, reports every second how long it has lived; reports 0 at its end.
class WaitWatch {
 public:
  WaitWatch(asio::io_context& loop, const Waiting& tell) : tell_(tell), timer_(loop) {
    if (tell_) wait();
  }
  ~WaitWatch() {
    if (tell_) tell_(std::chrono::seconds(0));
  }
  WaitWatch(const WaitWatch&) = delete;
  WaitWatch& operator=(const WaitWatch&) = delete;

 private:
  void wait() {
    timer_.expires_after(std::chrono::seconds(1));
    timer_.async_wait([this](const auto& error) {
      if (error) return;
      tell_(++waited_);
      wait();
    });
  }

  const Waiting& tell_;
  asio::steady_timer timer_;
  std::chrono::seconds waited_{};
};

// One tunnel, dialed in an Asio loop and then carried without it.
class StdioTunnel {
 public:
  StdioTunnel(const TunnelOptions& options, const Authorization& authorization,
              const Waiting& waiting)
      : options_(options),
        authorization_(authorization),
        waiting_(waiting),
        dialer_(options, TlsContext::Buffers::keep),
        loop_(ASIO_CONCURRENCY_HINT_UNSAFE) {}

  Dialer::Open open();
  Ending carry(Dialer::Open open, const std::function<void()>& opened);

 private:
  Dialer::Outcome dial(Headers headers);

  const TunnelOptions& options_;
  const Authorization& authorization_;
  const Waiting& waiting_;
  Dialer dialer_;
  asio::io_context loop_;  // last, since coroutines in it refer to the other members
};

Dialer::Outcome StdioTunnel::dial(Headers headers) {
  const ReportWatch reports(
      loop_.get_executor(), [] { return std::vector<std::shared_ptr<OpenConnection>>(); },
      options_.report);
  const WaitWatch wait(loop_, waiting_);
  return run_to_end(loop_, dialer_.dial(std::move(headers), authorization_.may_send));
}

Dialer::Open StdioTunnel::open() {
  std::optional<Headers> headers = authorization_.known();
  if (!headers) headers = authorization_.obtain(Authorization::Why::nothing_known);
  Dialer::Outcome outcome = dial(*headers);
  if (const auto* response = std::get_if<Response>(&outcome);
      response != nullptr &&
      may_change_with_headers(options_.url, *response, authorization_.team)) {
    const Headers others = authorization_.obtain(Authorization::Why::refused);
    if (others != *headers) outcome = dial(others);
  }
  if (const auto* response = std::get_if<Response>(&outcome))
    throw explain_refusal(options_.url, *response, authorization_.team);
  return std::get<Dialer::Open>(std::move(outcome));
}

Ending StdioTunnel::carry(Dialer::Open open, const std::function<void()>& opened) {
  const NonBlocking in(STDIN_FILENO), out(STDOUT_FILENO);
  widen_pipe(STDIN_FILENO);
  widen_pipe(STDOUT_FILENO);
  const bool is_connection = are_one_socket(STDIN_FILENO, STDOUT_FILENO);
  PolledParts parts{.local_in = STDIN_FILENO,
                    .local_out = is_connection ? STDIN_FILENO : STDOUT_FILENO,
                    .open = std::move(open),
                    .interrupted = interrupt_descriptor(),
                    .name = options_.url.authority(),
                    .report = options_.report,
                    .observer = options_.observer};
  opened();
  return run_polled(std::move(parts),
                    {.ping_interval = options_.ping_interval, .linger = options_.linger});
}

}  // namespace

Ending run_stdio_tunnel(const TunnelOptions& options, const Authorization& authorization,
                        const std::function<void()>& opened, const Waiting& waiting) {
  const IgnoredSignal no_sigpipe(SIGPIPE);
  StdioTunnel tunnel(options, authorization, waiting);
  try {
    return tunnel.carry(tunnel.open(), opened);
  } catch (const std::system_error& error) {  // a closed stdin, or no descriptors left
    throw system_error("cannot run the tunnel", error.code().value());
  }
}

}  // namespace mayfly
