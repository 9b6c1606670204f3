#include "access/dial/connect.hpp"

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <memory>

#include "access/io/deadline.hpp"

namespace mayfly {
namespace {

using asio::ip::tcp;
constexpr std::chrono::milliseconds head_start{250};  // RFC 8305 section 5

// Shared by the handlers of the attempts, some of which run after the end.
struct Race : std::enable_shared_from_this<Race> {
  Race(const asio::any_io_executor& on, std::vector<tcp::endpoint> to)
      : executor(on), endpoints(std::move(to)), next_start(on), finish(on) {
    finish.expires_at(asio::steady_timer::time_point::max());
  }

  void start_next();
  void attempt_over(const std::shared_ptr<tcp::socket>& socket, const tcp::endpoint& endpoint,
                    const asio::error_code& error);
  void end(const asio::error_code& error);

  asio::any_io_executor executor;
  std::vector<tcp::endpoint> endpoints;
  std::vector<std::shared_ptr<tcp::socket>> running;
  std::size_t started = 0;
  asio::steady_timer next_start, finish;  // finish: cancelled when it is over
  bool over = false;
  Connected result;
};

bool lacks_route(const asio::error_code& error) {
  return error == asio::error::network_unreachable || error == asio::error::host_unreachable ||
         error.value() == EADDRNOTAVAIL || error.value() == EAFNOSUPPORT;
}

void Race::start_next() {
  if (over || started == endpoints.size()) return;
  const auto socket = std::make_shared<tcp::socket>(executor);
  running.push_back(socket);
  const tcp::endpoint& endpoint = endpoints[started++];
  socket->async_connect(endpoint, [self = shared_from_this(), socket, &endpoint](auto error) {
    self->attempt_over(socket, endpoint, error);
  });
  next_start.expires_after(head_start);
  next_start.async_wait([self = shared_from_this()](auto error) {
    if (!error) self->start_next();
  });
}

void Race::attempt_over(const std::shared_ptr<tcp::socket>& socket, const tcp::endpoint& endpoint,
                        const asio::error_code& error) {
  if (over) return;
  std::erase(running, socket);
  if (!error) {
    asio::error_code not_released;
    result.socket = Descriptor(socket->release(not_released));
    return end({});
  }
  // The error of an address that can be reached tells more than a missing route to another.
  if (!result.error || lacks_route(result.error)) {
    result.error = error;
    result.address = endpoint.address().to_string();
  }
  if (started < endpoints.size()) return start_next();
  if (running.empty()) end(result.error);
}

void Race::end(const asio::error_code& error) {
  if (over) return;
  over = true;
  result.error = error;
  for (const auto& socket : running) {
    asio::error_code ignored;
    socket->close(ignored);
  }
  running.clear();
  next_start.cancel();
  finish.cancel();
}

}  // namespace

asio::awaitable<Connected> connect_to_any(std::vector<tcp::endpoint> endpoints,
                                          Deadline& deadline) {
  const auto race =
      std::make_shared<Race>(co_await asio::this_coro::executor, std::move(endpoints));
  if (race->endpoints.empty())
    co_return Connected{.socket = {}, .error = asio::error::host_not_found};
  deadline.cancel_by([race] { race->end(asio::error::timed_out); });
  race->start_next();
  asio::error_code ignored;
  if (!race->over)
    co_await race->finish.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  deadline.cancel_by({});
  co_return std::move(race->result);
}

}  // namespace mayfly
