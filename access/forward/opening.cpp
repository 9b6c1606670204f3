#include "access/forward/opening.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "access/core/error.hpp"
#include "access/forward/no_answer.hpp"

namespace mayfly {
namespace {

constexpr std::chrono::milliseconds for_ever = std::chrono::hours(24 * 365);

struct Obtaining {
  explicit Obtaining(const asio::any_io_executor& executor) : ready(executor) {}
  FirstReady ready;
  std::optional<Opening> opening;
};

// Apart from the connection, which may end before: others wait for the same login.
asio::awaitable<void> obtain(Authorizer& authorizer, std::optional<Headers> refused,
                             std::shared_ptr<Obtaining> into) {
  try {
    if (refused)
      into->opening = co_await authorizer.instead_of(std::move(*refused));
    else
      into->opening = co_await authorizer.headers();
  } catch (const Error& error) {
    into->opening = page_of(error);
  }
  into->ready.ring();
}

std::optional<Opening> known_to(Authorizer& authorizer) {
  try {
    if (auto headers = authorizer.known()) return std::move(*headers);
    return std::nullopt;
  } catch (const Error& error) {
    return page_of(error);
  }
}

}  // namespace

asio::awaitable<std::optional<Opening>> find_opening(asio::any_io_executor executor,
                                                     Authorizer& authorizer,
                                                     std::optional<Headers> refused,
                                                     AbortWatch& program) {
  if (!refused)
    if (auto known = known_to(authorizer)) co_return known;
  const auto obtaining = std::make_shared<Obtaining>(executor);
  asio::co_spawn(executor, obtain(authorizer, std::move(refused), obtaining), asio::detached);
  while (!obtaining->opening && !program.has_aborted()) {
    program.wake(obtaining->ready);
    program.wake_at_end_of_stream(obtaining->ready);
    co_await program.wait(obtaining->ready, for_ever);
  }
  program.stop();
  co_return std::move(obtaining->opening);
}

}  // namespace mayfly
