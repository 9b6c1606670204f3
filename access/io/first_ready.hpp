// Waits for the first of several descriptors to become ready.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "access/io/watched_descriptor.hpp"

namespace mayfly {

class FirstReady {
 public:
  explicit FirstReady(const asio::any_io_executor& executor)
      : state_(std::make_shared<State>(executor)) {}
  ~FirstReady() { state_->over = true; }
  FirstReady(const FirstReady&) = delete;
  FirstReady& operator=(const FirstReady&) = delete;

  // Calls seen() when the descriptor is ready, while this object lives. Does nothing if the same
  // descriptor and direction are watched already; `seen` must then be the same.
  void watch(WatchedDescriptor& descriptor, WatchedDescriptor::For what,
             std::function<void()> seen);
  // Waits until a descriptor was ready or ring() was called. Returns false after `patience`.
  asio::awaitable<bool> wait(std::chrono::milliseconds patience);
  void ring();

 private:
  struct Watched {
    WatchedDescriptor* descriptor;
    WatchedDescriptor::For what;
    bool operator==(const Watched&) const = default;
  };
  struct State {
    explicit State(const asio::any_io_executor& executor) : bell(executor) {}
    asio::steady_timer bell;
    std::vector<Watched> watched;
    bool rung = false;
    bool over = false;
  };
  std::shared_ptr<State> state_;
};

}  // namespace mayfly
