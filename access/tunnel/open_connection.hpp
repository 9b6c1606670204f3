// The open connections of an Asio loop: ending them, and reporting on them at SIGUSR1.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/io/watched_descriptor.hpp"
#include "access/pump/traffic.hpp"

namespace mayfly {

// A local connection that is served: a tunnel, or a connection of the HTTP listener.
class OpenConnection {
 public:
  virtual ~OpenConnection() = default;
  // Ends the connection properly, because of a signal, within a second.
  virtual void interrupt() = 0;

  // Returns the name for a report; printable.
  virtual std::string name() const { return {}; }
  // Returns nullopt if this is not a tunnel, or if it has ended.
  virtual std::optional<Traffic> traffic() const { return std::nullopt; }
  // Sends a ping, so that traffic() has a fresh round trip once the answer is here.
  virtual void probe() {}
};

// Reports on the open tunnels each time SIGUSR1 comes. Does nothing without catch_report_signal()
// or without `tell`.
class ReportWatch {
 public:
  using Open = std::function<std::vector<std::shared_ptr<OpenConnection>>()>;

  // open: returns the open connections.
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
  std::vector<Seen> seen_;  // at the beginning of the report that is under way
};

}  // namespace mayfly
