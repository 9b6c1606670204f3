#include "access/transport/listen/local_server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>

#include "access/transport/io/ignored_signal.hpp"
#include "access/transport/io/interrupt_watch.hpp"
#include "access/transport/io/watched_descriptor.hpp"

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

}  // namespace

LocalServer::LocalServer(asio::io_context& loop, const ListenOptions& options)
    : loop_(loop), options_(options), last_moment_(loop) {
  for (const ListenAddress& address : options.addresses) {
    auto opened = ListeningSocket::open(address);
    for (ListeningSocket& socket : opened) sockets_.push_back(std::move(socket));
  }
}

void LocalServer::run(const Serve& serve) {
  const IgnoredSignal no_sigpipe(SIGPIPE);
  raise_descriptor_limit();
  for (const ListeningSocket& socket : sockets_)
    asio::co_spawn(loop_, accept_from(socket.descriptor(), serve), asio::detached);
  const InterruptWatch interrupts(loop_.get_executor(), [this] { shut_down(); });
  tell_addresses();
  loop_.run();
}

// The families of one name count as one address.
void LocalServer::tell_addresses() {
  const ListenAddress* told = nullptr;
  for (const ListeningSocket& socket : sockets_) {
    const ListenAddress& address = socket.address();
    const bool again = told != nullptr && told->host == address.host &&
                       told->port == address.port && told->path == address.path;
    if (!again) options_.ready(address);
    told = &address;
  }
}

asio::awaitable<void> LocalServer::accept_from(int listening, const Serve& serve) {
  const auto executor = co_await asio::this_coro::executor;
  WatchedDescriptor watched(executor, listening);
  asio::steady_timer pause(executor);
  for (;;) {
    Descriptor socket(accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
      asio::co_spawn(loop_, serve_one(std::move(socket), serve), asio::detached);
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

asio::awaitable<void> LocalServer::serve_one(Descriptor socket, const Serve& serve) {
  const int on = 1;  // fails on a Unix socket, which does not need it
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  try {
    co_await serve(std::move(socket));
  } catch (...) {
    report(std::current_exception());
  }
}

void LocalServer::report(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    options_.failed(error);
  } catch (const std::exception& error) {
    options_.failed(Error(ErrorKind::failed, error.what()));
  }
}

void LocalServer::closed(const std::shared_ptr<OpenConnection>& connection) {
  open_.erase(connection);
  if (ending_ && open_.empty()) loop_.stop();
}

// All at once; those whose connection does not even take a Close are gone after a second.
void LocalServer::shut_down() {
  ending_ = true;
  last_moment_.expires_after(1500ms);
  last_moment_.async_wait([this](const auto& error) {
    if (!error) loop_.stop();
  });
  for (const auto& connection : open()) connection->interrupt();
  if (open_.empty()) loop_.stop();
}

}  // namespace mayfly
