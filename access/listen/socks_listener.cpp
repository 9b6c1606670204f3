#include <fmt/core.h>

#include <array>
#include <asio/this_coro.hpp>
#include <chrono>
#include <string>

#include "access/core/log.hpp"
#include "access/io/deadline.hpp"
#include "access/listen/local_protocol.hpp"
#include "access/listen/local_stream.hpp"
#include "access/listen/socks.hpp"

namespace mayfly {
namespace {

using namespace std::chrono_literals;

constexpr auto handshake_patience = 10s;
constexpr auto reply_patience = 1s;

class SocksProtocol : public LocalProtocol {
 public:
  asio::awaitable<std::optional<Destination>> hear(int socket, Admission::Guest& guest) override;
  asio::awaitable<void> grant(int socket) override;
  asio::awaitable<void> deny(int socket, const TunnelRefusal& refusal) override;
};

Error turned_away(std::string_view problem, std::string hint) {
  return {ErrorKind::failed, fmt::format("a local program was turned away: {}", problem),
          std::move(hint)};
}

asio::awaitable<std::optional<LocalProtocol::Destination>> SocksProtocol::hear(
    int socket, Admission::Guest& guest) {
  const auto executor = co_await asio::this_coro::executor;
  LocalStream stream(executor, socket);
  Deadline deadline(executor, handshake_patience);
  const auto cancel = [&] { stream.cancel(); };
  deadline.cancel_by(cancel);
  guest.is_half_open(cancel);
  socks::Handshake handshake;
  std::string answer;
  std::array<std::byte, socks::Handshake::most_wanted> room;
  while (handshake.wanted() > 0) {
    const auto piece = std::span(room).first(handshake.wanted());
    const bool heard = co_await stream.read_all(piece);
    if (deadline.expired()) throw turned_away("it did not finish its SOCKS5 handshake in time", "");
    // Some programs connect only to see whether the port is open.
    if (!heard) co_return std::nullopt;
    answer = handshake.take(piece);
    if (handshake.wanted() > 0 && !co_await stream.write(answer)) co_return std::nullopt;
  }
  guest.is_busy();
  const std::string& destination = handshake.destination();
  if (destination.empty()) {
    co_await stream.say_goodbye(std::move(answer));
    throw turned_away(handshake.problem(), handshake.hint());
  }
  log(LogLevel::debug, "asked for a connection", {{"destination", destination}});
  co_return Destination{.name = destination,
                        .headers = {{"Cf-Access-Jump-Destination", destination}}};
}

asio::awaitable<void> SocksProtocol::grant(int socket) {
  const auto executor = co_await asio::this_coro::executor;
  LocalStream stream(executor, socket);
  Deadline deadline(executor, reply_patience);
  deadline.cancel_by([&] { stream.cancel(); });
  const std::string answer = socks::reply_text(socks::Reply::succeeded);
  co_await stream.write(answer);  // if this fails, the tunnel notices it
}

asio::awaitable<void> SocksProtocol::deny(int socket, const TunnelRefusal& refusal) {
  LocalStream stream(co_await asio::this_coro::executor, socket);
  co_await stream.say_goodbye(socks::reply_text(socks::reply_to(refusal)));
}

}  // namespace

void run_socks_listener(const ListenerOptions& options, const Authorization& authorization) {
  SocksProtocol protocol;
  serve_tunnels(options, authorization, &protocol);
}

}  // namespace mayfly
