// Runs one open tunnel in an Asio loop, beside many others, until it ends.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "access/dial/dial.hpp"
#include "access/io/event_loop.hpp"
#include "access/io/local_descriptors.hpp"
#include "access/io/watched_descriptor.hpp"
#include "access/pump/observed_end.hpp"
#include "access/pump/pump.hpp"
#include "access/system/descriptor.hpp"
#include "access/tunnel/open_connection.hpp"

namespace mayfly {

class TunnelRun : public OpenConnection, public std::enable_shared_from_this<TunnelRun> {
 public:
  struct Parts {
    Descriptor socket;  // the local connection, non-blocking
    Dialer::Open open;
    std::string name;  // the destination that the local program named, or ""; printable
    PayloadObserver observer = nullptr;
    // A listener has these two for all its runs, which it outlives.
    const LocalPeers* peers = nullptr;
    EventLoop* events = nullptr;  // nullptr: Asio watches the descriptors
  };
  using Ended = std::function<void(const Ending&)>;

  TunnelRun(const asio::any_io_executor& executor, Parts parts, BufferPool& buffers,
            const PumpOptions& options);

  // Calls `ended` once, perhaps before it returns. Until then the run keeps itself alive.
  void start(Ended ended);
  // Sends Close 1001 and ends within a second.
  void interrupt() override;
  // Ends at once. A Close 1001 is sent if the connection takes it without waiting.
  void abandon();
  std::string name() const override;
  std::optional<Traffic> traffic() const override;
  void probe() override;

 private:
  using For = WatchedDescriptor::For;
  // A descriptor, and how it is watched.
  struct Side : Watcher {
    TunnelRun* run = nullptr;
    void (Pump::*readable)() = nullptr;
    void (Pump::*writable)() = nullptr;
    std::unique_ptr<ReadinessSet::Registration> registration;  // nullptr: by Asio
    std::optional<WatchedDescriptor> watched;
    bool waits_to_read = false, waits_to_write = false;  // Asio's waits, one of each at a time
    bool has_ended = false, is_broken = false;           // and will not tell of changes any more
    int more_reads = 0;                                  // to be tried without being told to
    void on_ready(const Readiness& readiness) override { run->on_ready(*this, readiness); }
  };

  void watch(Side& side, int descriptor);
  void release(Side& side);
  void on_ready(Side& side, const Readiness& readiness);
  void advance();
  // The directions in which the pump waits for a descriptor.
  struct Wanted {
    bool readable = false, writable = false;
  };
  void arm(Side& side, Wanted wanted);
  void wait_for(Side& side, For what, bool& waits);
  void arm_timer(const std::optional<Pump::Time>& deadline);
  void again();
  void watch_reader();
  void finish();

  asio::any_io_executor executor_;
  Parts parts_;
  LocalDescriptors local_;
  std::optional<ObservedEnd> observed_;  // wraps local_ if there is an observer
  Side socket_, tunnel_;
  asio::steady_timer timer_;
  std::optional<Pump::Time> timer_at_;
  bool again_posted_ = false;
  Pump pump_;
  Ended ended_;  // empty before start() and after the end
};

}  // namespace mayfly
