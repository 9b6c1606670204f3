// One TLS connection from its handshake to its end.
#include "session.hpp"

#include "crypto.hpp"
#include "forward.hpp"
#include "http_io.hpp"
#include "origin.hpp"
#include "tunnel.hpp"
#include "visit.hpp"

namespace edge {
namespace {

// Counts a thing for as long as it lives.
class Counted {
 public:
  explicit Counted(std::uint64_t& counter) : counter_(counter) { ++counter_; }
  ~Counted() { --counter_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::uint64_t& counter_;
};

asio::awaitable<bool> shake_hands(Edge& edge, TlsStream& stream, Peer& peer) {
  const error_code error = co_await handshake(stream);
  if (!error) {
    describe_peer(stream.ssl(), stream.tls(), peer);
    ++edge.stats.tls_handshakes;
    ++edge.stats.hosts[peer.sni].connections;
    if (peer.resumed) ++edge.stats.tls_resumed;
    co_return true;
  }
  ++edge.stats.tls_failed;
  if (stream.tls().hello == Hello::reset) stream.reset();
  if (stream.tls().hello == Hello::stall) co_await wait_until_gone(stream);
  co_return false;
}

// Holds a poll until its tokens are there or time is up; none when the client went away.
asio::awaitable<std::optional<Response>> hold(Edge& edge, TlsStream& stream, Answer& reply) {
  struct Wait {
    explicit Wait(Executor executor) : timer(executor) {}
    Timer timer;
    bool gone = false;
  };
  auto response = edge.transfer.fetch(reply.poll_key);
  if (!response) {
    auto wait = std::make_shared<Wait>(stream.get_executor());
    wait->timer.expires_after(duration(edge.config.poll_seconds));
    const auto ticket = edge.transfer.wait(reply.poll_key, [wait] { wait->timer.cancel(); });
    // A client that waits has nothing to say: whatever arrives is its goodbye.
    stream.socket().async_wait(Socket::wait_read, [wait](error_code error) {
      wait->gone = !error;
      wait->timer.cancel();
    });
    error_code ignored;
    co_await wait->timer.async_wait(into(ignored));
    edge.transfer.leave(ticket);
    stream.socket().cancel(ignored);
    if (wait->gone) co_return std::nullopt;
    response = edge.transfer.fetch(reply.poll_key);
  }
  if (!response) co_return reply.response;
  ++edge.stats.transfers;
  // The usual fields (Date, Server, CF-RAY) come from the answer that was prepared.
  for (const char* name : {"Date", "Server", "CF-RAY"}) {
    response->fields.push_back({name, reply.response.header(name)});
  }
  co_return response;
}

asio::awaitable<bool> send(TlsStream& stream, const Request& request, Entry& entry,
                           const Response& response) {
  entry.status = response.status;
  entry.location = response.header("location");
  const Body body = request.method == "HEAD" ? Body::head_only : Body::sent;
  const After after = request.keep_alive ? After::keep_alive : After::close;
  const std::string text = serialize(response, body, after);
  co_return co_await write_all(stream, text) && request.keep_alive;
}

asio::awaitable<void> converse(Edge& edge, TlsStream& stream, const Peer& peer) {
  std::string buffer;
  Request request;
  while (co_await read_request(stream, buffer, request)) {
    ++edge.stats.requests;
    ++edge.stats.hosts[request.host].requests;
    const auto entry = edge.log.add(peer, request, edge.config.log);
    Visit visit{edge, peer, request, *entry, nullptr, hex(random_bytes(8)) + "-FRA"};
    Answer reply = route(visit);
    if (reply.delay > 0) co_await sleep(stream.get_executor(), reply.delay);
    if (reply.action == Action::respond) {
      if (!co_await send(stream, request, *entry, reply.response)) break;
      continue;
    }
    if (reply.action == Action::poll) {
      const auto response = co_await hold(edge, stream, reply);
      if (!response || !co_await send(stream, request, *entry, *response)) break;
      continue;
    }
    if (reply.action == Action::reset) stream.reset();
    stream.unread(std::move(buffer));
    Passage passage{edge, request, std::move(reply), visit.application, entry, visit.ray};
    if (passage.answer.action == Action::forward) co_await forward(stream, passage);
    if (passage.answer.action == Action::tunnel) co_await tunnel(stream, passage);
    break;
  }
}

}  // namespace

asio::awaitable<void> serve(Edge& edge, TlsServer& server, Socket socket) {
  const Counted open(edge.stats.open_connections);
  ++edge.stats.tls_connections;
  try {
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket.non_blocking(true);
    TlsStream stream(std::move(socket), server);
    Peer peer;
    peer.connection = edge.next_connection++;
    if (!co_await shake_hands(edge, stream, peer)) co_return;
    co_await converse(edge, stream, peer);
    co_await finish(stream);
  } catch (const std::exception&) {
    // The connection is over; whatever it was shows in the log of its requests.
  }
}

}  // namespace edge
