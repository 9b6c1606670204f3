// One open tunnel of many in an Asio loop, from its first byte to its end.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "access/io/local_descriptors.hpp"
#include "access/io/watched_descriptor.hpp"
#include "access/pump/observed_end.hpp"
#include "access/pump/pump.hpp"
#include "access/system/descriptor.hpp"
#include "access/tls/tls.hpp"
#include "access/tunnel/open_connection.hpp"

namespace mayfly {

class TunnelRun : public OpenConnection, public std::enable_shared_from_this<TunnelRun> {
 public:
  struct Parts {
    Descriptor socket;  // the local connection, non-blocking
    std::unique_ptr<TlsStream> stream;
    std::string early;  // what followed the upgrade's answer
    std::string ray;    // its cf-ray
    std::string name;   // what the local connection asked for, if anything; printable
    PayloadObserver observer = nullptr;
  };
  using Ended = std::function<void(const Ending&)>;

  TunnelRun(const asio::any_io_executor& executor, Parts parts, BufferPool& buffers,
            const PumpOptions& options);

  // Calls ended once, perhaps before it returns. The run keeps itself alive until then.
  void start(Ended ended);
  // Close 1001, over within a second.
  void interrupt() override;
  // Over at once: nobody reads any more.
  void abandon();
  std::string name() const override;
  std::optional<Traffic> traffic() const override;
  void probe() override;

 private:
  using For = WatchedDescriptor::For;
  // One thing waited for, at most once at a time.
  struct Wait {
    WatchedDescriptor* descriptor;
    For what;
    void (Pump::*happened)();
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
  std::optional<ObservedEnd> observed_;  // the same, when somebody looks
  WatchedDescriptor socket_;
  WatchedDescriptor tunnel_;
  asio::steady_timer timer_;
  std::optional<Pump::Time> timer_at_;
  Wait waits_[4];
  bool again_posted_ = false;
  Pump pump_;
  Ended ended_;
};

}  // namespace mayfly
