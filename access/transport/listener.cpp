#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <memory>
#include <system_error>
#include <unordered_map>

#include "access/core/error.hpp"
#include "access/transport/authorizer.hpp"
#include "access/transport/dial.hpp"
#include "access/transport/ignored_signal.hpp"
#include "access/transport/interrupt_watch.hpp"
#include "access/transport/listening_socket.hpp"
#include "access/transport/refusal.hpp"
#include "access/transport/tunnel_run.hpp"

namespace mayfly {
namespace {

using namespace std::chrono_literals;

// Each connection takes two descriptors, and the usual soft limit is 1,024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

bool out_of_resources(int number) {
  return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

class Listener {
 public:
  Listener(const ListenerOptions& options, const Authorization& authorization)
      : options_(options),
        dialer_(options.tunnel, TlsContext::Buffers::release),
        loop_(ASIO_CONCURRENCY_HINT_UNSAFE),
        last_moment_(loop_),
        authorizer_(authorization) {}

  void open();
  void run();

 private:
  // A tunnel that is open, with the local socket it owns.
  struct Held {
    Descriptor socket;
    std::shared_ptr<TunnelRun> run;
  };

  asio::awaitable<void> accept_from(int listening);
  asio::awaitable<void> serve(Descriptor socket);
  asio::awaitable<Dialer::Open> open_tunnel();
  void carry(Descriptor socket, Dialer::Open open);
  void report(std::exception_ptr thrown);
  void shut_down();

  const ListenerOptions& options_;
  Dialer dialer_;
  BufferPool buffers_;
  asio::io_context loop_;           // what still waits in it goes before the three above
  asio::steady_timer last_moment_;  // when it is over, whatever is still open
  Authorizer authorizer_;
  std::vector<ListeningSocket> sockets_;
  std::unordered_map<TunnelRun*, Held> held_;
  bool ending_ = false;
};

void Listener::open() {
  for (const ListenAddress& address : options_.addresses) {
    auto opened = ListeningSocket::open(address);
    for (ListeningSocket& socket : opened) sockets_.push_back(std::move(socket));
  }
}

void Listener::run() {
  for (const ListeningSocket& socket : sockets_)
    asio::co_spawn(loop_, accept_from(socket.descriptor()), asio::detached);
  const InterruptWatch interrupts(loop_.get_executor(), [this] { shut_down(); });
  const ListenAddress* told = nullptr;
  for (const ListeningSocket& socket : sockets_) {
    const ListenAddress& address = socket.address();
    // The families of one name count as one address.
    const bool again = told != nullptr && told->host == address.host &&
                       told->port == address.port && told->path == address.path;
    if (!again) options_.ready(address);
    told = &address;
  }
  loop_.run();
}

asio::awaitable<void> Listener::accept_from(int listening) {
  const auto executor = co_await asio::this_coro::executor;
  WatchedDescriptor watched(executor, listening);
  asio::steady_timer pause(executor);
  for (;;) {
    Descriptor socket(accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
      asio::co_spawn(loop_, serve(std::move(socket)), asio::detached);
    } else if (errno == EAGAIN) {
      co_await watched.wait(WatchedDescriptor::For::wait_read, asio::use_awaitable);
    } else if (out_of_resources(errno)) {
      // The waiting connection stays readable: without a pause this would spin.
      options_.failed(system_error("cannot accept a connection", errno));
      pause.expires_after(500ms);
      co_await pause.async_wait(asio::use_awaitable);
    }
  }
}

asio::awaitable<void> Listener::serve(Descriptor socket) {
  const int on = 1;  // fails on a Unix socket, which does not need it
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  try {
    Dialer::Open open = co_await open_tunnel();
    carry(std::move(socket), std::move(open));
  } catch (...) {
    report(std::current_exception());
  }
}

asio::awaitable<Dialer::Open> Listener::open_tunnel() {
  const Url& url = options_.tunnel.url;
  std::vector<Header> headers = co_await authorizer_.headers();
  Dialer::Outcome outcome = co_await dialer_.dial(headers);
  if (const auto* response = std::get_if<Response>(&outcome);
      response != nullptr && leads_to_login(url, *response)) {
    headers = co_await authorizer_.instead_of(std::move(headers));
    outcome = co_await dialer_.dial(std::move(headers));
  }
  if (const auto* response = std::get_if<Response>(&outcome)) throw explain_refusal(url, *response);
  co_return std::get<Dialer::Open>(std::move(outcome));
}

void Listener::carry(Descriptor socket, Dialer::Open open) {
  const TunnelOptions& tunnel = options_.tunnel;
  TunnelRun::Parts parts{.local_in = socket.get(),
                         .local_out = socket.get(),
                         .stream = std::move(open.stream),
                         .early = std::move(open.early)};
  auto run = std::make_shared<TunnelRun>(
      loop_.get_executor(), std::move(parts), buffers_,
      PumpOptions{.ping_interval = tunnel.ping_interval, .drain = tunnel.drain});
  held_.emplace(run.get(), Held{std::move(socket), run});
  run->start([this, key = run.get()](const Ending& ending) {
    // By name too, since a child at its login may hold a copy of the descriptor.
    shutdown(held_.at(key).socket.get(), SHUT_RDWR);
    held_.erase(key);
    options_.ended(ending);
    if (ending_ && held_.empty()) loop_.stop();
  });
  if (ending_) run->interrupt();
}

void Listener::report(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    options_.failed(error);
  } catch (const std::exception& error) {
    options_.failed(Error(ErrorKind::failed, error.what()));
  }
}

// All at once; those whose connection does not even take a Close are gone after a second.
void Listener::shut_down() {
  ending_ = true;
  std::vector<std::shared_ptr<TunnelRun>> runs;
  for (const auto& [key, held] : held_) runs.push_back(held.run);
  last_moment_.expires_after(1500ms);
  last_moment_.async_wait([this](const auto& error) {
    if (!error) loop_.stop();
  });
  for (const auto& run : runs) run->interrupt();
  if (held_.empty()) loop_.stop();
}

}  // namespace

void run_listener(const ListenerOptions& options, const Authorization& authorization) {
  const IgnoredSignal no_sigpipe(SIGPIPE);
  raise_descriptor_limit();
  Listener listener(options, authorization);
  listener.open();
  listener.run();
}

}  // namespace mayfly
