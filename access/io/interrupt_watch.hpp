// SIGINT, SIGTERM and SIGHUP in an Asio loop, by the one mechanism of access/system/interrupt.hpp:
// Asio's own signal_set would take the handlers away from it.
#pragma once

#include <asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "access/io/watched_descriptor.hpp"
#include "access/system/interrupt.hpp"

namespace mayfly {

// Calls back once, from the loop, at the first such signal, or at once if it came before. Does
// nothing without catch_interrupts().
class InterruptWatch {
 public:
  InterruptWatch(const asio::any_io_executor& executor, std::function<void()> interrupted) {
    if (interrupt_descriptor() < 0) return;
    descriptor_ = std::make_unique<WatchedDescriptor>(executor, interrupt_descriptor());
    descriptor_->wait(WatchedDescriptor::For::wait_read,
                      [callback = std::move(interrupted)](const auto& error) {
                        if (!error) callback();
                      });
  }

 private:
  std::unique_ptr<WatchedDescriptor> descriptor_;
};

}  // namespace mayfly
