#include "access/listen/authorizer.hpp"

#include <fmt/core.h>

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

namespace mayfly {
struct Authorizer::Attempt {
  Attempt(const asio::any_io_executor& executor, Authorization::Why reason)
      : why(reason), over(executor) {
    over.expires_at(asio::steady_timer::time_point::max());
  }

  Authorization::Why why;
  asio::steady_timer over;  // cancelled once `obtained` is set
  std::optional<Obtained> obtained;
};

std::optional<Headers> Authorizer::known() {
  const auto now = std::chrono::steady_clock::now();
  if (now < cached_until_ && authorization_.may_send(cached_)) return cached_;
  // Headers that may not be sent now are not sent later either, whatever ends the logout.
  cached_ = {};
  cached_until_ = {};
  auto known = authorization_.known();
  if (known) {
    cached_ = *known;
    cached_until_ = now + cache_time_;
  }
  return known;
}

asio::awaitable<Headers> Authorizer::headers() {
  if (auto known = this->known()) co_return std::move(*known);
  co_return co_await obtain(Authorization::Why::nothing_known, {});
}

asio::awaitable<Headers> Authorizer::instead_of(Headers refused) {
  cached_until_ = {};
  if (auto known = authorization_.known(); known && *known != refused) co_return std::move(*known);
  if (!may_replace(refused)) co_return refused;
  Headers obtained = co_await obtain(Authorization::Why::refused, std::move(refused));
  unproven_ = obtained;
  co_return obtained;
}

void Authorizer::were_accepted(const Headers& headers) {
  if (unproven_ == headers) unproven_.reset();
}

asio::awaitable<void> Authorizer::try_application() {
  const std::optional<Headers> before = authorization_.known();
  Headers headers = co_await obtain(Authorization::Why::starting, {});
  if (before && *before != headers) unproven_ = std::move(headers);
}

asio::awaitable<Headers> Authorizer::obtain(Authorization::Why why, Headers refused) {
  std::shared_ptr<Attempt> attempt = attempt_.lock();
  // The trial of a starting listener asks no person and replaces no refused headers.
  while (attempt && attempt->why == Authorization::Why::starting) {
    co_await end_of(*attempt);
    if (auto* headers = std::get_if<Headers>(&*attempt->obtained);
        headers != nullptr && why == Authorization::Why::nothing_known)
      co_return *headers;
    attempt = attempt_.lock();
  }
  if (!attempt) {
    attempt_ = attempt = std::make_shared<Attempt>(co_await asio::this_coro::executor, why);
    // Every exception is caught, since others would wait for ever for an attempt without an end.
    try {
      attempt->obtained = co_await login_process_.obtain(why, std::move(refused));
    } catch (const std::exception& error) {
      attempt->obtained = Error(ErrorKind::failed, fmt::format("cannot log in: {}", error.what()),
                                "try again; restart this listener if that does not help");
    }
    attempt_.reset();
    attempt->over.cancel();
  } else {
    co_await end_of(*attempt);
  }
  if (const auto* error = std::get_if<Error>(&*attempt->obtained)) throw *error;
  co_return std::get<Headers>(*attempt->obtained);
}

asio::awaitable<void> Authorizer::end_of(Attempt& attempt) {
  asio::error_code ignored;
  co_await attempt.over.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<void> try_application(Authorizer& authorizer, const ListenOptions& options) {
  std::optional<Error> problem;
  try {
    co_await authorizer.try_application();
  } catch (const Error& error) {
    problem = error;
  }
  options.tried(problem);
}

}  // namespace mayfly
