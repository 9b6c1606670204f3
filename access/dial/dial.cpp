#include "access/dial/dial.hpp"

#include <fmt/core.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "access/answer/machine.hpp"
#include "access/answer/refusal.hpp"
#include "access/core/edge_clock.hpp"
#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/core/secret.hpp"
#include "access/core/text.hpp"
#include "access/dial/connect.hpp"
#include "access/dial/endpoints.hpp"
#include "access/dial/proxy.hpp"
#include "access/dial/upgrade.hpp"
#include "access/http1/body.hpp"
#include "access/io/deadline.hpp"
#include "access/io/watched_descriptor.hpp"
#include "access/system/peer_text.hpp"
#include "access/tls/connection_error.hpp"
#include "access/websocket/websocket.hpp"

namespace mayfly {
namespace {

using asio::ip::tcp;
using State = IoResult::State;

constexpr std::chrono::seconds look_up_lasts{30};
constexpr std::size_t max_body = std::size_t{16} * 1024;  // enough to recognise an error page

}  // namespace

// Tells the log (-v) about each step of a connection, and how long it took since the step before.
class DialLog {
 public:
  void looked_up(const std::string& host, const std::vector<tcp::endpoint>& found);
  enum class Way { direct, proxy };
  void connected(int socket, Way way);
  void secured(const TlsStream& stream);
  void answered(const Response& response);

 private:
  std::string took();

  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

std::string DialLog::took() {
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::duration<double, std::milli> since = now - since_;
  since_ = now;
  return fmt::format("{:.1f} ms", since.count());
}

void DialLog::looked_up(const std::string& host, const std::vector<tcp::endpoint>& found) {
  if (!is_logged(LogLevel::debug)) return;
  std::string addresses;
  for (const auto& endpoint : found)
    addresses += (addresses.empty() ? "" : " ") + endpoint.address().to_string();
  log(LogLevel::debug, "name looked up",
      {{"host", host}, {"addresses", addresses}, {"took", took()}});
}

void DialLog::connected(int socket, Way way) {
  if (!is_logged(LogLevel::debug)) return;
  log(LogLevel::debug, way == Way::proxy ? "connected by a proxy" : "connected",
      {{"address", peer_text(socket)}, {"took", took()}});
}

void DialLog::secured(const TlsStream& stream) {
  if (!is_logged(LogLevel::debug)) return;
  const TlsStream::Facts facts = stream.facts();
  log(LogLevel::debug, "TLS established",
      {{"version", facts.version},
       {"cipher", facts.cipher},
       {"group", facts.group},
       {"session", facts.session == TlsStream::Facts::Session::resumed ? "resumed" : "new"},
       {"took", took()}});
}

void DialLog::answered(const Response& response) {
  if (!is_logged(LogLevel::debug)) return;
  log(LogLevel::debug, response.status == 101 ? "tunnel opened" : "no tunnel",
      {{"answer", response.reference()}, {"took", took()}});
}

namespace {

// The handshakes of TLS and upgrade on one stream, within a deadline.
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
  asio::awaitable<std::string> receive_body(const ResponseHead& head, std::string arrived);

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
    throw Error::timeout(fmt::format("cannot reach {}: timed out {}", where_, stage),
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

// Returns 0 at the end of the stream.
asio::awaitable<std::size_t> Opening::read(std::span<std::byte> into) {
  for (;;) {
    const IoResult result = stream_.read(into);
    if (result.state == State::moved) co_return result.bytes;
    if (result.state == State::ended) co_return 0;
    // TLS 1.3 refuses a client certificate only now.
    if (result.state == State::failed) {
      if (const auto error = alert_error(where_, stream_.report())) throw *error;
      throw Error(ErrorKind::network,
                  fmt::format("cannot reach {}: no answer came: {}", where_, result.failure),
                  "the connection was cut; try again");
    }
    co_await wait(result.state, "waiting for the answer");
  }
}

// Returns the final head of the answer once it is whole. Throws Error(protocol).
std::optional<ResponseHead> final_head(ResponseReader& reader) {
  for (;;) {
    ResponseReader::Next next = reader.next();
    if (const auto* malformed = std::get_if<Malformed>(&next))
      throw Error(ErrorKind::protocol,
                  fmt::format("the answer is not HTTP/1.1: {}", malformed->why),
                  "something other than Cloudflare's edge answers at this host and port");
    auto* head = std::get_if<ResponseHead>(&next);
    if (head == nullptr) return std::nullopt;
    if (is_final(*head)) return std::move(*head);
  }
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

asio::awaitable<Response> Opening::receive(std::string& rest) {
  std::array<std::byte, 4096> room;
  ResponseReader reader;
  std::optional<ResponseHead> head;
  while (!head) {
    const std::size_t size = co_await read(room);
    if (size == 0)
      throw Error(
          ErrorKind::network,
          fmt::format("cannot reach {}: the connection was closed before an answer came", where_),
          "try again");
    reader.feed(text_of(std::span(room).first(size)));
    head = final_head(reader);
  }
  // Asio reuses the memory of coroutines.
  wipe(room.data(), room.size());
  rest = reader.take_rest();
  std::string body;
  if (head->status != 101) body = co_await receive_body(*head, std::exchange(rest, {}));
  co_return Response{
      .status = head->status, .headers = std::move(head->headers), .body = std::move(body)};
}

// Appends the data at the front of the text.
void append_data(BodyScanner& scanner, std::string_view text, std::string& data) {
  for (BodyScanner::Part part; (part = scanner.next(text)).size > 0; text.remove_prefix(part.size))
    if (part.sort == BodyScanner::Part::Sort::data) data += text.substr(0, part.size);
}

// Returns the beginning of the body, as much of it as arrives: a body that breaks off is no reason
// to say less about the status.
asio::awaitable<std::string> Opening::receive_body(const ResponseHead& head, std::string arrived) {
  const auto framing = framing_of(head, "GET");
  const auto* known = std::get_if<BodyFraming>(&framing);
  BodyScanner scanner(known != nullptr ? *known : BodyFraming{BodyFraming::Kind::until_close, 0});
  std::string body;
  append_data(scanner, arrived, body);
  std::array<std::byte, 4096> room;
  try {
    while (body.size() < max_body && !scanner.over() && !scanner.malformed()) {
      const std::size_t size = co_await read(room);
      if (size == 0) break;
      append_data(scanner, text_of(std::span(room).first(size)), body);
    }
  } catch (const Error&) {
  }
  body.resize(std::min(body.size(), max_body));
  co_return body;
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
  if (result.shortage != 0)
    throw system_error(fmt::format("cannot look up {}", target.host), result.shortage);
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
    throw Error::timeout(fmt::format("cannot reach {}: timed out {}", where,
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

asio::awaitable<Dialer::Outcome> Dialer::dial(Headers authorization, const MaySend& may_send) {
  UpgradeRequest request{.url = options_.url,
                         .headers = std::move(authorization),
                         .user_agent = options_.connection.user_agent,
                         .key = websocket::make_key()};
  const bool has_service_token = request.headers.contains(service_token_id_header);
  request.headers.add(options_.headers);
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
  if (const auto problem = upgrade_problem(response.headers, request.key))
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
