// Watches many descriptors, each of which is registered once.
#pragma once

#include <memory>

#include "access/system/descriptor.hpp"

namespace mayfly {

// What changed at a descriptor. It is told once: only a read or write that would have to wait shows
// that the descriptor is not ready any more.
struct Readiness {
  bool readable = false, writable = false;
  bool has_ended = false;  // no more bytes come, and no further change may be told
  bool is_broken = false;  // no bytes are taken either
  bool is_urgent = false;  // a read may stop before urgent bytes, though more bytes are there
};

class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_ready(const Readiness& readiness) = 0;
};

// epoll(7), edge-triggered. Not thread-safe.
class ReadinessSet {
 public:
  // Returns nullptr if the system has no such set. Portable: nullptr.
  static std::shared_ptr<ReadinessSet> make() noexcept;
  virtual ~ReadinessSet() = default;

  // A registration, which ends with this object and keeps the set alive. The descriptor must still
  // be open then.
  class Registration {
   public:
    virtual ~Registration() = default;
    // Tells from now on when the descriptor becomes writable, too.
    virtual void watch_writing() noexcept = 0;
  };
  // Returns nullptr if the descriptor cannot be watched. `watcher` outlives the registration.
  virtual std::unique_ptr<Registration> add(int descriptor, Watcher& watcher) = 0;
  // Watches another loop's descriptor, as long as this object lives, for being readable now.
  virtual bool add_loop(int descriptor) noexcept = 0;

  enum class Wait { until_ready, not_at_all };
  // Calls the watchers of what has changed. A watcher may end any registration. Returns whether the
  // other loop's descriptor is readable.
  virtual bool take(Wait wait) = 0;
};

}  // namespace mayfly
