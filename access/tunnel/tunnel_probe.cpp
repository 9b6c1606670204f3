#include "access/tunnel/tunnel_probe.hpp"

#include <sys/socket.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <exception>

#include "access/dial/dial.hpp"
#include "access/io/deadline.hpp"
#include "access/io/run_to_end.hpp"
#include "access/io/watched_descriptor.hpp"
#include "access/pump/buffers.hpp"
#include "access/system/descriptor.hpp"
#include "access/tunnel/tunnel_run.hpp"

namespace mayfly {
namespace {

constexpr std::size_t most_heard = 4096;  // bytes

std::optional<Error> error_in(const std::exception_ptr& thrown) {
  if (!thrown) return std::nullopt;
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    return error;
  }
}

ProbedTls facts_of(const Dialer::Secured& secured) {
  const HandshakeReport& report = secured.stream->report();
  const TlsStream::Facts facts = secured.stream->facts();
  ProbedTls probed{
      .failure = error_in(secured.failure), .version = facts.version, .group = facts.group};
  if (report.server) probed.server = mayfly::facts_of(report.server.get());
  probed.request = report.request;
  probed.has_wrong_dates = is_about_dates(report);
  return probed;
}

// Whether a complete line of `text` begins with `begin`.
bool has_line(std::string_view text, std::string_view begin) {
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos;
       text.remove_prefix(end + 1))
    if (text.substr(0, end).starts_with(begin)) return true;
  return false;
}

}  // namespace

struct TunnelProbe::Impl {
  explicit Impl(TunnelOptions given)
      : options(std::move(given)), dialer(options, TlsContext::Buffers::release) {}

  asio::awaitable<Heard> listen(std::string begin, std::chrono::milliseconds patience);
  asio::awaitable<std::string> read(int from, std::string begin, Deadline& deadline);

  TunnelOptions options;
  Dialer dialer;
  BufferPool buffers;
  std::optional<Dialer::Open> open;
  asio::io_context loop;  // last, since coroutines in it refer to the other members
};

asio::awaitable<std::string> TunnelProbe::Impl::read(int from, std::string begin,
                                                     Deadline& deadline) {
  WatchedDescriptor watched(loop.get_executor(), from);
  deadline.cancel_by([&] { watched.cancel(); });
  std::string text;
  std::array<char, 512> room{};
  while (!has_line(text, begin) && text.size() < most_heard) {
    const ssize_t got = ::recv(from, room.data(), room.size(), 0);
    if (got > 0) {
      text.append(room.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (got == 0 || errno != EAGAIN || deadline.expired()) break;
    asio::error_code ignored;
    co_await watched.wait(WatchedDescriptor::For::wait_read,
                          asio::redirect_error(asio::use_awaitable, ignored));
  }
  deadline.cancel_by({});
  co_return text;
}

asio::awaitable<Heard> TunnelProbe::Impl::listen(std::string begin,
                                                 std::chrono::milliseconds patience) {
  SocketPair ends = make_socket_pair("cannot listen to the tunnel", Blocking::no);
  TunnelRun::Parts parts{.socket = std::move(ends.theirs), .open = std::move(*open), .name = {}};
  open.reset();
  const auto run = std::make_shared<TunnelRun>(
      loop.get_executor(), std::move(parts), buffers,
      PumpOptions{.ping_interval = options.ping_interval, .linger = options.linger});
  Heard heard;
  bool hung_up = false;
  run->start([&](const Ending& ending) {
    if (!hung_up) heard.ending = ending;
  });
  Deadline deadline(loop.get_executor(), patience);
  heard.text = co_await read(ends.ours.get(), std::move(begin), deadline);
  hung_up = true;
  run->abandon();
  co_return heard;
}

TunnelProbe::TunnelProbe(TunnelOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
TunnelProbe::~TunnelProbe() = default;

void TunnelProbe::connect() {
  run_to_end(impl_->loop, impl_->dialer.connect());
}

ProbedTls TunnelProbe::shake_hands() {
  return facts_of(run_to_end(impl_->loop, impl_->dialer.secure()));
}

Response TunnelProbe::upgrade(Headers headers, const MaySend& may_send) {
  Dialer::Outcome outcome =
      run_to_end(impl_->loop, impl_->dialer.dial(std::move(headers), may_send));
  if (auto* response = std::get_if<Response>(&outcome)) return std::move(*response);
  impl_->open = std::get<Dialer::Open>(std::move(outcome));
  return impl_->open->answer;
}

Heard TunnelProbe::hear(std::string_view line_begins, std::chrono::milliseconds patience) {
  return run_to_end(impl_->loop, impl_->listen(std::string(line_begins), patience));
}

}  // namespace mayfly
