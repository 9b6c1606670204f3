// The loop of a listener: Asio's, and beside it the descriptors of the open tunnels. Asio arms each
// wait by a system call, twice for each small exchange; here a descriptor is registered once.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "access/system/readiness_set.hpp"

namespace mayfly {

class EventLoop {
 public:
  // `loop` must outlive this object, which opens descriptors: before the process is confined.
  explicit EventLoop(asio::io_context& loop);

  // Registers a descriptor. Returns nullptr if Asio has to watch it, as on other systems.
  std::unique_ptr<ReadinessSet::Registration> add(int descriptor, Watcher& watcher);
  // Calls `again` after other tunnels had their turn. Only for a caller with registrations.
  void call(std::function<void()> again) { again_.push_back(std::move(again)); }
  // Asio has handlers to call, such as those of a timer that was cancelled.
  void poll_asio() noexcept { asio_has_work_ = true; }

  // Runs until the io_context is stopped.
  void run();

 private:
  void call_again();

  asio::io_context& loop_;
  std::shared_ptr<ReadinessSet> set_;  // nullptr: Asio watches everything
  std::vector<std::function<void()>> again_;
  bool asio_has_work_ = true;
};

}  // namespace mayfly
