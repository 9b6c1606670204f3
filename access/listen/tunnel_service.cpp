#include "access/listen/tunnel_service.hpp"

#include <fmt/core.h>

#include <asio/io_context.hpp>
#include <memory>
#include <optional>

#include "access/answer/refusal.hpp"
#include "access/core/error.hpp"
#include "access/tunnel/report_watch.hpp"
#include "access/tunnel/tunnel_run.hpp"

namespace mayfly {
namespace {

using Refusal = LocalProtocol::Refusal;

Error about(const std::string& name, const Error& error) {
  return {error.kind(), fmt::format("{}: {}", name, error.message()), error.hint()};
}

}  // namespace

struct TunnelService::Accepted {
  Descriptor socket;
  LocalServer::Guest guest;
};

asio::awaitable<void> TunnelService::serve(Descriptor socket, LocalServer::Guest guest) {
  if (parts_.protocol != nullptr)
    co_return co_await serve_by_protocol(std::move(socket), std::move(guest));
  const std::vector<Header> nothing;
  Opened opened = co_await open(nothing);
  if (const auto* refusal = std::get_if<Refusal>(&opened)) throw refusal->error;
  carry({std::move(socket), std::move(guest)}, std::get<Dialer::Open>(std::move(opened)), {});
}

asio::awaitable<void> TunnelService::serve_by_protocol(Descriptor socket,
                                                       LocalServer::Guest guest) {
  LocalProtocol& protocol = *parts_.protocol;
  const std::optional<LocalProtocol::Wish> wish = co_await protocol.hear(socket.get(), *guest);
  if (!wish) co_return;
  Opened opened = co_await open(wish->headers);
  if (const auto* refusal = std::get_if<Refusal>(&opened)) {
    co_await protocol.deny(socket.get(), *refusal);
    throw about(wish->name, refusal->error);
  }
  co_await protocol.grant(socket.get());
  carry({std::move(socket), std::move(guest)}, std::get<Dialer::Open>(std::move(opened)),
        wish->name);
}

asio::awaitable<TunnelService::Opened> TunnelService::open(const std::vector<Header>& wanted) {
  try {
    Dialer::Outcome outcome = co_await dial(wanted);
    if (const auto* response = std::get_if<Response>(&outcome))
      co_return Refusal{explain_refusal(parts_.options.tunnel.url, *response), response->status};
    co_return std::get<Dialer::Open>(std::move(outcome));
  } catch (const TimedOut& error) {
    co_return Refusal{.error = error, .late = Refusal::Late::yes};
  } catch (const Error& error) {
    co_return Refusal{.error = error};
  }
}

asio::awaitable<Dialer::Outcome> TunnelService::dial(const std::vector<Header>& wanted) {
  const auto with_wanted = [&](std::vector<Header> headers) {
    headers.insert(headers.end(), wanted.begin(), wanted.end());
    return headers;
  };
  const MaySend& may_send = parts_.authorizer.may_send();
  std::vector<Header> headers = co_await parts_.authorizer.headers();
  Dialer::Outcome outcome = co_await parts_.dialer.dial(with_wanted(headers), may_send);
  const auto* response = std::get_if<Response>(&outcome);
  if (response == nullptr ||
      !leads_to_login(parts_.options.tunnel.url, *response, parts_.authorizer.team()))
    co_return outcome;
  headers = co_await parts_.authorizer.instead_of(std::move(headers));
  co_return co_await parts_.dialer.dial(with_wanted(std::move(headers)), may_send);
}

void TunnelService::carry(Accepted accepted, Dialer::Open open, std::string name) {
  const TunnelOptions& tunnel = parts_.options.tunnel;
  TunnelRun::Parts run_parts{.socket = std::move(accepted.socket),
                             .stream = std::move(open.stream),
                             .early = std::move(open.early),
                             .ray = std::move(open.ray),
                             .name = std::move(name),
                             .observer = tunnel.observer};
  auto run = std::make_shared<TunnelRun>(
      parts_.server.executor(), std::move(run_parts), parts_.buffers,
      PumpOptions{.ping_interval = tunnel.ping_interval, .drain = tunnel.drain});
  parts_.server.opened(run);
  run->start([this, key = run.get(), guest = std::move(accepted.guest)](const Ending& ending) {
    parts_.options.ended(ending);
    parts_.server.closed(key->shared_from_this());
  });
  if (parts_.server.ending()) run->interrupt();
}

void serve_tunnels(const ListenerOptions& options, const Authorization& authorization,
                   LocalProtocol* protocol) {
  Authorizer authorizer(authorization);  // first: its keeper inherits none of the rest
  Dialer dialer(options.tunnel, TlsContext::Buffers::release);
  BufferPool buffers;
  asio::io_context loop(ASIO_CONCURRENCY_HINT_UNSAFE);  // what waits in it goes before those two
  LocalServer server(loop, options);
  TunnelService service({.options = options,
                         .authorizer = authorizer,
                         .dialer = dialer,
                         .buffers = buffers,
                         .server = server,
                         .protocol = protocol});
  const ReportWatch reports(
      loop.get_executor(), [&] { return server.open(); }, options.tunnel.report);
  server.run([&](Descriptor socket, LocalServer::Guest guest) {
    return service.serve(std::move(socket), std::move(guest));
  });
}

}  // namespace mayfly
