// Waits for whichever of several descriptors is ready first.
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

  // Calls seen() once the descriptor is ready, while this lives; what is watched for already stays
  // so. seen is the same for the same descriptor and side.
  void watch(WatchedDescriptor& descriptor, WatchedDescriptor::For what,
             std::function<void()> seen);
  // Until one of them was, or ring(); false when patience has run out before.
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
