#include "access/listen/listener.hpp"

#include <fmt/core.h>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <memory>
#include <optional>
#include <variant>

#include "access/answer/refusal.hpp"
#include "access/dial/dial.hpp"
#include "access/listen/authorizer.hpp"
#include "access/listen/local_protocol.hpp"
#include "access/listen/local_server.hpp"
#include "access/pump/buffers.hpp"
#include "access/tunnel/open_connection.hpp"
#include "access/tunnel/tunnel_run.hpp"

namespace mayfly {
namespace {

Error about(const std::string& name, const Error& error) {
  return {error.kind(), fmt::format("{}: {}", name, error.message()), error.hint()};
}

struct Accepted {
  Descriptor socket;
  LocalServer::Guest guest;
};

// Opens a tunnel for each accepted socket and moves its bytes.
class TunnelService {
 public:
  struct Parts {
    const ListenerOptions& options;
    Authorizer& authorizer;
    Dialer& dialer;
    BufferPool& buffers;
    LocalServer& server;
    const LocalPeers& peers;
    EventLoop& events;
    LocalProtocol* protocol;
  };
  // All parts must outlive the service.
  explicit TunnelService(const Parts& parts) : parts_(parts) {}

  asio::awaitable<void> serve(Accepted accepted);

 private:
  using Opened = std::variant<Dialer::Open, TunnelRefusal>;
  asio::awaitable<void> serve_by_protocol(Accepted accepted);
  asio::awaitable<Opened> open(const Headers& wanted);
  asio::awaitable<Dialer::Outcome> dial(const Headers& wanted);
  void carry(Accepted accepted, Dialer::Open open, std::string name);

  Parts parts_;
  std::uint64_t opened_ = 0;
};

asio::awaitable<void> TunnelService::serve(Accepted accepted) {
  if (parts_.protocol != nullptr) co_return co_await serve_by_protocol(std::move(accepted));
  const Headers no_headers;
  Opened opened = co_await open(no_headers);
  if (const auto* refusal = std::get_if<TunnelRefusal>(&opened)) throw refusal->error;
  carry(std::move(accepted), std::get<Dialer::Open>(std::move(opened)), {});
}

asio::awaitable<void> TunnelService::serve_by_protocol(Accepted accepted) {
  LocalProtocol& protocol = *parts_.protocol;
  const int socket = accepted.socket.get();
  const auto destination = co_await protocol.hear(socket, *accepted.guest);
  if (!destination) co_return;
  Opened opened = co_await open(destination->headers);
  if (const auto* refusal = std::get_if<TunnelRefusal>(&opened)) {
    co_await protocol.deny(socket, *refusal);
    throw about(destination->name, refusal->error);
  }
  co_await protocol.grant(socket);
  carry(std::move(accepted), std::get<Dialer::Open>(std::move(opened)), destination->name);
}

asio::awaitable<TunnelService::Opened> TunnelService::open(const Headers& wanted) {
  try {
    Dialer::Outcome outcome = co_await dial(wanted);
    if (const auto* response = std::get_if<Response>(&outcome))
      co_return TunnelRefusal{
          explain_refusal(parts_.options.tunnel.url, *response, parts_.authorizer.team()),
          response->status};
    co_return std::get<Dialer::Open>(std::move(outcome));
  } catch (const Error& error) {
    co_return TunnelRefusal{.error = error};
  } catch (const std::exception& error) {  // no thread to look up a name, for example
    const Error failure(ErrorKind::failed, error.what());
    co_return TunnelRefusal{.error = failure};
  }
}

// Dials with the credential headers; once more with others if the edge wants a login or may not
// accept the service token.
asio::awaitable<Dialer::Outcome> TunnelService::dial(const Headers& wanted) {
  const auto with_wanted = [&](Headers headers) {
    headers.add(wanted);
    return headers;
  };
  const MaySend& may_send = parts_.authorizer.may_send();
  Headers headers = co_await parts_.authorizer.headers();
  Dialer::Outcome outcome = co_await parts_.dialer.dial(with_wanted(headers), may_send);
  const auto* response = std::get_if<Response>(&outcome);
  if (response == nullptr ||
      !may_change_with_headers(parts_.options.tunnel.url, *response, parts_.authorizer.team())) {
    parts_.authorizer.were_accepted(headers);
    co_return outcome;
  }
  Headers others = co_await parts_.authorizer.instead_of(headers);
  if (others == headers) co_return outcome;
  outcome = co_await parts_.dialer.dial(with_wanted(others), may_send);
  response = std::get_if<Response>(&outcome);
  if (response == nullptr ||
      !may_change_with_headers(parts_.options.tunnel.url, *response, parts_.authorizer.team()))
    parts_.authorizer.were_accepted(others);
  co_return outcome;
}

void TunnelService::carry(Accepted accepted, Dialer::Open open, std::string name) {
  const TunnelOptions& tunnel = parts_.options.tunnel;
  const std::uint64_t number = ++opened_;
  parts_.options.opened(number, name);
  TunnelRun::Parts run_parts{.socket = std::move(accepted.socket),
                             .open = std::move(open),
                             .name = std::move(name),
                             .observer = tunnel.observer,
                             .peers = &parts_.peers,
                             .events = &parts_.events};
  auto run = std::make_shared<TunnelRun>(
      parts_.server.executor(), std::move(run_parts), parts_.buffers,
      PumpOptions{.ping_interval = tunnel.ping_interval, .linger = tunnel.linger});
  parts_.server.opened(run);
  run->start(
      [this, number, key = run.get(), guest = std::move(accepted.guest)](const Ending& ending) {
        parts_.options.ended(ending);
        parts_.options.closed(number, ending);
        parts_.server.closed(key->shared_from_this());
      });
  if (parts_.server.ending()) run->interrupt();
}

}  // namespace

void serve_tunnels(const ListenerOptions& options, const Authorization& authorization,
                   LocalProtocol* protocol) {
  Authorizer authorizer(authorization);  // first, so that its login process inherits nothing else
  Dialer dialer(options.tunnel, TlsContext::Buffers::release);
  BufferPool buffers;
  const LocalPeers peers;
  asio::io_context loop(ASIO_CONCURRENCY_HINT_UNSAFE);  // its coroutines refer to the objects above
  EventLoop events(loop);
  LocalServer server(loop, options);
  TunnelService service({.options = options,
                         .authorizer = authorizer,
                         .dialer = dialer,
                         .buffers = buffers,
                         .server = server,
                         .peers = peers,
                         .events = events,
                         .protocol = protocol});
  const ReportWatch reports(
      loop.get_executor(), [&] { return server.open(); }, options.tunnel.report);
  if (options.trial == ListenOptions::Trial::at_start)
    asio::co_spawn(loop, try_application(authorizer, options), asio::detached);
  const auto serve = [&](Descriptor socket, LocalServer::Guest guest) {
    Accepted accepted{std::move(socket), std::move(guest)};
    return service.serve(std::move(accepted));
  };
  server.run(serve, &events);
}

void run_listener(const ListenerOptions& options, const Authorization& authorization) {
  serve_tunnels(options, authorization, nullptr);
}

}  // namespace mayfly
