#include "access/listen/local_server.hpp"

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>

#include "access/io/interrupt_watch.hpp"
#include "access/io/watched_descriptor.hpp"
#include "access/listen/local_stream.hpp"
#include "access/listen/supervisor_link.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/ignored_signal.hpp"
#include "access/system/platform.hpp"

namespace mayfly {
namespace {

using namespace std::chrono_literals;

// How often a message about too many connections or failed accepts is shown.
constexpr auto between_messages = 10s;
// How long after a crowd has left its memory is given back. All of its connections are closed by
// then, and their TLS sessions freed.
constexpr auto until_memory_is_free = 1s;
// How many connections above the limit are answered at once; others are closed without an answer.
constexpr int most_turned_away = 16;
// How often drain() looks, how long a connection without traffic keeps it, and how long all do.
constexpr auto drain_step = 20ms;
constexpr auto drain_silence = 2s;
constexpr auto drain_patience = 30s;
constexpr auto parent_step = 500ms;
// A connection has a local socket, and one to the edge.
constexpr std::size_t descriptors_each = 2;

// Raises the soft limit, usually 1,024, to the hard one. Returns the limit.
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  rlimit raised = limit;
  raised.rlim_cur = raised.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return static_cast<std::size_t>(limit.rlim_cur);
}

// Whether accept(2) failed only because one connection has gone away.
bool is_gone(int error) {
  return error == EINTR || error == ECONNABORTED || error == EPROTO;
}

}  // namespace

LocalServer::LocalServer(asio::io_context& loop, const ListenOptions& options, std::string too_many)
    : loop_(loop),
      options_(options),
      too_many_(std::move(too_many)),
      admission_(std::make_shared<Admission>(Admission::limits_under(raise_descriptor_limit()))),
      memory_timer_(loop),
      shut_down_timer_(loop) {
  admission_->on_crowd_left([this] { release_memory_soon(); });
  for (const ListenAddress& address : options.addresses) {
    auto opened = ListeningSocket::open(address);
    for (ListeningSocket& socket : opened) sockets_.push_back(std::move(socket));
  }
}

void LocalServer::run(const Serve& serve, EventLoop* events) {
  const IgnoredSignal no_sigpipe(SIGPIPE);
  for (const ListeningSocket& socket : sockets_)
    asio::co_spawn(loop_, accept_from(socket.descriptor(), serve), asio::detached);
  const InterruptWatch interrupts(loop_.get_executor(), [this] { shut_down(); });
  if (options_.supervisor >= 0) asio::co_spawn(loop_, obey_supervisor(), asio::detached);
  if (options_.parent > 0) asio::co_spawn(loop_, end_with_parent(), asio::detached);
  tell_addresses();
  events != nullptr ? events->run() : void(loop_.run());
}

// Tells an address once, although a name has a socket for IPv4 and one for IPv6.
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
    Descriptor socket = accept_connection(listening);
    const int error = socket ? 0 : errno;
    if (socket && draining_) continue;
    if (socket) {
      const std::size_t used = admission_->connections();
      states_.reserve(executor, descriptors_each * (used + 1), used);
      if (Guest guest = admission_->admit())
        asio::co_spawn(loop_, serve_one(std::move(socket), std::move(guest), serve),
                       asio::detached);
      else
        asio::co_spawn(loop_, turn_away(std::move(socket)), asio::detached);
      // Gives connections that were ended to make room the time to close their descriptors.
      co_await asio::post(executor, asio::use_awaitable);
    } else if (error == EAGAIN) {
      co_await watched.wait(WatchedDescriptor::For::wait_read, asio::use_awaitable);
    } else if (!is_gone(error)) {
      // EMFILE, for example: the socket stays readable, and without a pause this would spin.
      tell_rarely(system_error("cannot accept a connection", error));
      pause.expires_after(500ms);
      co_await pause.async_wait(asio::use_awaitable);
    }
  }
}

asio::awaitable<void> LocalServer::turn_away(Descriptor socket) {
  const Error error(
      ErrorKind::failed,
      fmt::format("a local program was turned away: {} connections are open, and more are not "
                  "served at once",
                  admission_->connections()),
      "end some, or start this listener with a higher limit of open files (ulimit -n)");
  tell_rarely(error);
  if (too_many_.empty() || being_turned_away_ == most_turned_away) co_return;
  ++being_turned_away_;
  LocalStream stream(loop_.get_executor(), socket.get());
  co_await stream.say_goodbye(too_many_);
  --being_turned_away_;
}

void LocalServer::tell_rarely(const Error& error) {
  const auto now = std::chrono::steady_clock::now();
  if (now < silent_until_) return;
  silent_until_ = now + between_messages;
  options_.failed(error);
}

asio::awaitable<void> LocalServer::serve_one(Descriptor socket, Guest guest, const Serve& serve) {
  const int on = 1;  // this fails for a Unix socket, which does not need it
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  try {
    co_await serve(std::move(socket), std::move(guest));
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

// The C library would keep the memory of a crowd that has left.
void LocalServer::release_memory_soon() {
  memory_timer_.expires_after(until_memory_is_free);
  memory_timer_.async_wait([](const auto& error) {
    if (!error) release_freed_memory();
  });
}

// The program has ended: the bytes that it has sent are delivered before the tunnels close. Another
// program may hold a connection of its own, which does not keep the listener.
asio::awaitable<void> LocalServer::drain() {
  draining_ = true;
  asio::steady_timer pause(loop_.get_executor());
  const auto begin = std::chrono::steady_clock::now();
  auto moved_at = begin;
  std::uint64_t moved = moved_bytes();
  while (admission_->connections() > 0) {
    pause.expires_after(drain_step);
    co_await pause.async_wait(asio::use_awaitable);
    const auto now = std::chrono::steady_clock::now();
    if (const std::uint64_t more = moved_bytes(); more != moved) {
      moved = more;
      moved_at = now;
    }
    if (now - moved_at > drain_silence || now - begin > drain_patience) break;
  }
  shut_down();
}

std::uint64_t LocalServer::moved_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& connection : open_)
    if (const auto traffic = connection->traffic()) bytes += traffic->sent + traffic->received;
  return bytes;
}

asio::awaitable<void> LocalServer::obey_supervisor() {
  WatchedDescriptor watched(loop_.get_executor(), options_.supervisor);
  for (;;) {
    co_await watched.wait(WatchedDescriptor::For::wait_read, asio::use_awaitable);
    switch (hear_supervisor(options_.supervisor)) {
      case SupervisorWord::none:
        break;
      case SupervisorWord::program_has_ended:
        co_return co_await drain();
      case SupervisorWord::gone:
        co_return shut_down();
    }
  }
}

// PR_SET_PDEATHSIG would not do: it counts the end of the thread that started this process.
asio::awaitable<void> LocalServer::end_with_parent() {
  asio::steady_timer pause(loop_.get_executor());
  while (::getppid() == options_.parent) {
    pause.expires_after(parent_step);
    co_await pause.async_wait(asio::use_awaitable);
  }
  shut_down();
}

// Interrupts all connections. Those that do not end by themselves are dropped with the loop.
void LocalServer::shut_down() {
  ending_ = true;
  shut_down_timer_.expires_after(1500ms);
  shut_down_timer_.async_wait([this](const auto& error) {
    if (!error) loop_.stop();
  });
  for (const auto& connection : open()) connection->interrupt();
  if (open_.empty()) loop_.stop();
}

}  // namespace mayfly
