#include "access/listen/authorizer.hpp"

#include <fmt/core.h>

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

namespace mayfly {
namespace {

using Headers = std::vector<Header>;

}  // namespace

struct Authorizer::Attempt {
  explicit Attempt(const asio::any_io_executor& executor) : over(executor) {
    over.expires_at(asio::steady_timer::time_point::max());
  }

  asio::steady_timer over;  // cancelled when `obtained` is there
  std::optional<Obtained> obtained;
};

std::optional<Headers> Authorizer::known() {
  const auto now = std::chrono::steady_clock::now();
  if (now < fresh_until_ && authorization_.may_send(fresh_)) return fresh_;
  // Headers that may not be sent now are not sent later either, whatever ends the logout.
  fresh_.clear();
  fresh_until_ = {};
  auto known = authorization_.known();
  if (known) {
    fresh_ = *known;
    fresh_until_ = now + moment_;
  }
  return known;
}

asio::awaitable<Headers> Authorizer::headers() {
  if (auto known = this->known()) co_return std::move(*known);
  co_return co_await obtain(Authorization::Why::nothing_known, {});
}

asio::awaitable<Headers> Authorizer::instead_of(Headers refused) {
  fresh_until_ = {};
  if (auto known = authorization_.known(); known && *known != refused) co_return std::move(*known);
  co_return co_await obtain(Authorization::Why::refused, std::move(refused));
}

asio::awaitable<Headers> Authorizer::obtain(Authorization::Why why, Headers refused) {
  std::shared_ptr<Attempt> attempt = attempt_.lock();
  if (!attempt) {
    attempt_ = attempt = std::make_shared<Attempt>(co_await asio::this_coro::executor);
    // In any case: those who come next would wait for ever on one that never ends.
    try {
      attempt->obtained = co_await keeper_.ask(why, std::move(refused));
    } catch (const std::exception& error) {
      attempt->obtained = Error(ErrorKind::failed, fmt::format("cannot log in: {}", error.what()),
                                "try again; restart this listener when that does not help");
    }
    attempt_.reset();
    attempt->over.cancel();
  } else {
    asio::error_code ignored;
    co_await attempt->over.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (const auto* error = std::get_if<Error>(&*attempt->obtained)) throw *error;
  co_return std::get<Headers>(*attempt->obtained);
}

}  // namespace mayfly
