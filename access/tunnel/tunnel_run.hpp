// Runs one open tunnel in an Asio loop, beside many others, until it ends.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "access/dial/dial.hpp"
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
    const LocalPeers* peers = nullptr;  // outlives the run
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
  // A side of a descriptor that is watched, at most once at a time.
  struct Wait {
    WatchedDescriptor* descriptor;
    For side;
    void (Pump::*ready)();
    bool armed = false;
  };

  void advance();
  void arm(bool wanted, Wait& wait);
  void arm_timer(const std::optional<Pump::Time>& deadline);
  void again();
  void watch_reader();
  void finish();

  asio::any_io_executor executor_;
  Parts parts_;
  LocalDescriptors local_;
  std::optional<ObservedEnd> observed_;  // wraps local_ if there is an observer
  WatchedDescriptor socket_;
  WatchedDescriptor tunnel_;
  asio::steady_timer timer_;
  std::optional<Pump::Time> timer_at_;
  Wait waits_[4];
  bool again_posted_ = false;
  Pump pump_;
  Ended ended_;  // empty before start() and after the end
};

}  // namespace mayfly
