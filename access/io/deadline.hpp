// A time after which something pending in an Asio loop is cancelled.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace mayfly {

// One stage of a connection. While it lives and is not over, expiry sets expired() and calls what
// cancel_by() named last.
class Deadline {
 public:
  Deadline(const asio::any_io_executor& executor, std::chrono::milliseconds patience)
      : state_(std::make_shared<State>()), timer_(executor, patience) {
    timer_.async_wait([state = state_](const asio::error_code& error) {
      if (error || state->over) return;
      state->expired = true;
      if (state->cancel) state->cancel();
    });
  }
  ~Deadline() { state_->over = true; }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  bool expired() const noexcept { return state_->expired; }
  void cancel_by(std::function<void()> cancel) { state_->cancel = std::move(cancel); }

 private:
  struct State {
    bool expired = false, over = false;
    std::function<void()> cancel;
  };
  std::shared_ptr<State> state_;
  asio::steady_timer timer_;
};

}  // namespace mayfly
