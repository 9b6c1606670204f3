#include "access/forward/edge_pool.hpp"

#include <array>
#include <asio/this_coro.hpp>
#include <utility>

#include "access/system/platform.hpp"

namespace mayfly {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t most_idle = 16;
constexpr auto longest_idle = 60s;  // the edge closes them after minutes

// Whether the other side has neither closed it nor said what nobody asked for. What TLS says on its
// own account (session tickets) is taken in on the way. A wire that was read empty says so once
// without a look: only the second answer counts.
bool is_quiet(EdgeConnection& connection) {
  std::array<std::byte, 1> room;
  for (int look = 0; look < 2; ++look)
    if (connection.stream->read(room).state != IoResult::State::wait_readable) return false;
  return true;
}

}  // namespace

asio::awaitable<std::unique_ptr<EdgeConnection>> EdgePool::take(Which which) {
  while (which == Which::any && !idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (Clock::now() - connection->idle_since > longest_idle) {
      idle_.clear();  // the others are older
    } else if (is_quiet(*connection)) {
      connection->age = EdgeConnection::Age::used;
      co_return connection;
    }
  }
  const auto executor = co_await asio::this_coro::executor;
  auto connection = std::make_unique<EdgeConnection>(executor, co_await dialer_.connect_securely());
  keep_alive(connection->stream->descriptor());
  co_return connection;
}

void EdgePool::give_back(std::unique_ptr<EdgeConnection> connection) {
  connection->idle_since = Clock::now();
  if (idle_.size() == most_idle) idle_.erase(idle_.begin());
  idle_.push_back(std::move(connection));
}

}  // namespace mayfly
