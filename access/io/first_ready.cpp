#include "access/io/first_ready.hpp"

#include <algorithm>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

namespace mayfly {

void FirstReady::watch(WatchedDescriptor& descriptor, WatchedDescriptor::For what,
                       std::function<void()> seen) {
  const Watched one{&descriptor, what};
  if (std::ranges::find(state_->watched, one) != state_->watched.end()) return;
  state_->watched.push_back(one);
  descriptor.wait(what, [state = state_, one, seen = std::move(seen)](const auto& error) {
    if (state->over) return;
    std::erase(state->watched, one);
    if (!error) seen();
    state->rung = true;
    state->bell.cancel();
  });
}

asio::awaitable<bool> FirstReady::wait(std::chrono::milliseconds patience) {
  const std::shared_ptr<State> state = state_;
  if (!state->rung) {
    state->bell.expires_after(patience);
    asio::error_code ignored;
    co_await state->bell.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return std::exchange(state->rung, false);
}

void FirstReady::ring() {
  state_->rung = true;
  state_->bell.cancel();
}

}  // namespace mayfly
