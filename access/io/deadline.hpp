// Cancels a pending operation in an Asio loop after a time.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace mayfly {

// The deadline of one stage of a connection. When it expires, expired() becomes true and the
// function that cancel_by() set last is called, unless the object was destroyed before.
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
