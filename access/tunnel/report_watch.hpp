// SIGUSR1 in an Asio loop, answered with how the open tunnels are doing.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "access/io/watched_descriptor.hpp"
#include "access/pump/traffic.hpp"
#include "access/tunnel/open_connection.hpp"

namespace mayfly {

// Without catch_report_signal() nothing ever happens.
class ReportWatch {
 public:
  using Open = std::function<std::vector<std::shared_ptr<OpenConnection>>()>;

  ReportWatch(const asio::any_io_executor& executor, Open open, TellTraffic tell);

 private:
  struct Seen {
    std::weak_ptr<OpenConnection> connection;
    Traffic traffic;
  };
  void wait();
  void begin();
  void finish();

  Open open_;
  TellTraffic tell_;
  std::optional<WatchedDescriptor> descriptor_;
  asio::steady_timer timer_;
  std::vector<Seen> seen_;
};

}  // namespace mayfly
