#include "access/dial/dial.hpp"

#include <fmt/core.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "access/answer/refusal.hpp"
#include "access/core/edge_clock.hpp"
#include "access/core/error.hpp"
#include "access/core/secret.hpp"
#include "access/core/text.hpp"
#include "access/dial/connect.hpp"
#include "access/dial/dial_log.hpp"
#include "access/dial/endpoints.hpp"
#include "access/dial/proxy_choice.hpp"
#include "access/dial/proxy_connection.hpp"
#include "access/dial/upgrade.hpp"
#include "access/io/deadline.hpp"
#include "access/io/watched_descriptor.hpp"
#include "access/tls/connection_error.hpp"
#include "access/websocket/websocket.hpp"

namespace mayfly {
namespace {

using asio::ip::tcp;
using State = IoResult::State;

constexpr std::chrono::seconds look_up_lasts{30};
constexpr std::size_t max_body = std::size_t{16} * 1024;  // enough to recognise an error page

// A stream in its opening handshakes: does one step at a time, waits in between, within a deadline.
class Opening {
 public:
  Opening(const asio::any_io_executor& executor, TlsStream& stream, const TunnelOptions& options)
      : stream_(stream),
        options_(options),
        where_(options.url.authority()),
        watched_(executor, stream.descriptor()),
        deadline_(executor, options.handshake_timeout) {
    deadline_.cancel_by([this] { watched_.cancel(); });
  }

  asio::awaitable<void> secure();
  asio::awaitable<void> send(std::string text);
  asio::awaitable<Response> receive(std::string& rest);

 private:
  asio::awaitable<void> wait(State what, std::string_view stage);
  asio::awaitable<std::size_t> read(std::span<std::byte> into);
  asio::awaitable<void> receive_body(Response& response, std::string& rest);

  TlsStream& stream_;
  const TunnelOptions& options_;
  std::string where_;
  WatchedDescriptor watched_;
  Deadline deadline_;
};

asio::awaitable<void> Opening::wait(State what, std::string_view stage) {
  asio::error_code error;
  const auto side = what == State::wait_writable ? WatchedDescriptor::For::wait_write
                                                 : WatchedDescriptor::For::wait_read;
  if (!deadline_.expired())
    co_await watched_.wait(side, asio::redirect_error(asio::use_awaitable, error));
  if (deadline_.expired())
    throw TimedOut(fmt::format("cannot reach {}: timed out {}", where_, stage),
                   "a proxy or firewall on the way may be holding it up; try again");
}

Error handshake_error(const std::string& where, const TlsStream& stream, const IoResult& result) {
  if (const auto error = trust_error(where, stream.report())) return *error;
  if (const auto error = alert_error(where, stream.report())) return *error;
  return {ErrorKind::network,
          fmt::format("cannot reach {}: the TLS handshake failed: {}", where,
                      result.state == State::ended ? "the connection was closed" : result.failure),
          "a proxy or firewall on the way may be in between"};
}

asio::awaitable<void> Opening::secure() {
  for (;;) {
    const IoResult result = stream_.handshake();
    if (result.state == State::moved) co_return;
    if (result.state == State::failed || result.state == State::ended)
      throw handshake_error(where_, stream_, result);
    co_await wait(result.state, "in the TLS handshake");
  }
}

asio::awaitable<void> Opening::send(std::string text) {
  auto left = std::as_bytes(std::span(text));
  while (!left.empty()) {
    const IoResult result = stream_.write(left);
    if (result.state == State::failed || result.state == State::ended)
      throw handshake_error(where_, stream_, result);
    if (result.state == State::moved)
      left = left.subspan(result.bytes);
    else
      co_await wait(result.state, "sending the request");
  }
}

// 0 at the end of the stream.
asio::awaitable<std::size_t> Opening::read(std::span<std::byte> into) {
  for (;;) {
    const IoResult result = stream_.read(into);
    if (result.state == State::moved) co_return result.bytes;
    if (result.state == State::ended) co_return 0;
    // In TLS 1.3 the refusal of a client certificate arrives only now.
    if (result.state == State::failed) {
      if (const auto error = alert_error(where_, stream_.report())) throw *error;
      throw Error(ErrorKind::network,
                  fmt::format("cannot reach {}: no answer came: {}", where_, result.failure),
                  "the connection was cut; try again");
    }
    co_await wait(result.state, "waiting for the answer");
  }
}

asio::awaitable<Response> Opening::receive(std::string& rest) {
  std::array<std::byte, 4096> room;
  ResponseReader reader;
  for (bool whole = false; !whole;) {
    const std::size_t size = co_await read(room);
    if (size == 0)
      throw Error(
          ErrorKind::network,
          fmt::format("cannot reach {}: the connection was closed before an answer came", where_),
          "try again");
    whole = reader.feed(std::span(room).first(size));
  }
  // Asio keeps the memory of coroutines for the next one.
  wipe(room.data(), room.size());
  Response response = reader.take_response();
  rest = reader.take_rest();
  if (response.status != 101) co_await receive_body(response, rest);
  co_return response;
}

// What can be had of it; a body that breaks off is no reason to say less about the status.
asio::awaitable<void> Opening::receive_body(Response& response, std::string& rest) {
  response.body = std::move(rest);
  std::array<std::byte, 4096> room;
  try {
    while (response.body.size() < max_body && !body_is_whole(response, response.body)) {
      const std::size_t size = co_await read(room);
      if (size == 0) break;
      response.body.append(reinterpret_cast<const char*>(room.data()), size);
    }
  } catch (const Error&) {
  }
  response.body.resize(std::min(response.body.size(), max_body));
}

bool carries_service_token(const std::vector<Header>& headers) {
  return std::ranges::any_of(headers, [](const Header& header) {
    return equals_ignoring_case(header.first, "Cf-Access-Client-Id");
  });
}

}  // namespace

Dialer::Dialer(const TunnelOptions& options, TlsContext::Buffers buffers)
    : options_(options), tls_(options.connection, options.url, buffers) {}

asio::awaitable<std::vector<tcp::endpoint>> Dialer::endpoints(Deadline& deadline, DialLog& story) {
  const ConnectionOptions& connection = options_.connection;
  const Target wanted{options_.url.host, std::to_string(options_.url.port)};
  const Target target = redirected(wanted, connection.connect_to);
  if (auto fixed = pinned(target, connection.resolve); !fixed.empty()) co_return fixed;
  const auto now = std::chrono::steady_clock::now();
  if (!looked_up_.empty() && now < looked_up_at_ + look_up_lasts) co_return looked_up_;
  LookedUp result = co_await look_up(target, deadline);
  looked_up_ = std::move(result.found);
  looked_up_at_ = now;
  if (looked_up_.empty() && !deadline.expired())
    throw unknown_name_error(options_.url.authority(), target.host);
  story.looked_up(target.host, looked_up_);
  co_return looked_up_;
}

asio::awaitable<std::unique_ptr<Wire>> Dialer::connect() {
  DialLog story;
  co_return co_await connect(story);
}

asio::awaitable<std::unique_ptr<Wire>> Dialer::connect(DialLog& story) {
  const std::string where = options_.url.authority();
  Deadline deadline(co_await asio::this_coro::executor, options_.connection.connect_timeout);
  if (const std::string proxy = proxy_choice(options_.connection).url; !proxy.empty()) {
    auto wire = co_await connect_by_proxy(options_.connection, options_.url, proxy, deadline);
    story.connected(wire->descriptor(), DialLog::Way::proxy);
    co_return wire;
  }
  std::vector<tcp::endpoint> addresses = co_await endpoints(deadline, story);
  const bool found = !addresses.empty();
  Connected connected;
  asio::post(co_await asio::this_coro::executor, [this] { tls_.prepare(); });
  if (found) connected = co_await connect_to_any(std::move(addresses), deadline);
  if (deadline.expired())
    throw TimedOut(fmt::format("cannot reach {}: timed out {}", where,
                               found ? "connecting" : "looking up the name"),
                   "check the network connection; a firewall may demand a proxy (--proxy)");
  if (!connected.socket) {
    looked_up_.clear();
    throw connect_error(where, connected.error.value(),
                        {.otherwise = "no address to connect to", .address = connected.address});
  }
  story.connected(connected.socket.get(), DialLog::Way::direct);
  co_return std::make_unique<SocketWire>(std::move(connected.socket));
}

asio::awaitable<Dialer::Secured> Dialer::secure() {
  std::unique_ptr<Wire> wire = co_await connect();
  Secured secured{std::make_unique<TlsStream>(tls_, std::move(wire)), nullptr};
  Opening opening(co_await asio::this_coro::executor, *secured.stream, options_);
  try {
    co_await opening.secure();
  } catch (const Error&) {
    secured.failure = std::current_exception();
  }
  co_return secured;
}

asio::awaitable<std::unique_ptr<TlsStream>> Dialer::connect_securely() {
  Secured secured = co_await secure();
  if (secured.failure) std::rethrow_exception(secured.failure);
  co_return std::move(secured.stream);
}

asio::awaitable<Dialer::Outcome> Dialer::dial(std::vector<Header> authorization,
                                              const MaySend& may_send) {
  UpgradeRequest request{.url = options_.url,
                         .headers = std::move(authorization),
                         .user_agent = options_.connection.user_agent,
                         .key = websocket::make_key()};
  const bool has_service_token = carries_service_token(request.headers);
  request.headers.insert(request.headers.end(), options_.headers.begin(), options_.headers.end());
  std::string text = upgrade_text(request);  // before a connection, since it may throw

  DialLog story;
  std::unique_ptr<Wire> wire = co_await connect(story);
  Open open{.stream = std::make_unique<TlsStream>(tls_, std::move(wire)),
            .early = {},
            .ray = {},
            .answer = {}};
  Response response;
  {
    Opening opening(co_await asio::this_coro::executor, *open.stream, options_);
    co_await opening.secure();
    story.secured(*open.stream);
    if (!may_send(request.headers)) throw logged_out(options_.url);
    co_await opening.send(std::move(text));
    response = co_await opening.receive(open.early);
    response.certificate_request = open.stream->report().request;
  }
  story.answered(response);
  if (response.status != 101) {
    if (const auto date = response.date();
        date && options_.connection.verify == ConnectionOptions::Verify::yes)
      note_edge_time(options_.url.host, *date);
    response.had_service_token = has_service_token;
    co_return Outcome(std::move(response));
  }
  if (const auto problem = upgrade_problem(response, request.key))
    throw Error(
        ErrorKind::protocol,
        fmt::format("{} answers the upgrade wrongly: {}", options_.url.authority(), *problem),
        "a proxy on the way, or the origin, does not speak WebSocket");
  open.ray = response.ray();
  open.answer = std::move(response);
  open.stream->stop_wiping();
  co_return Outcome(std::move(open));
}

}  // namespace mayfly
