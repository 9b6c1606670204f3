// The result of a tunnel's or listener's run as one line of JSON (--stats).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "access/core/error.hpp"
#include "access/listen/listener.hpp"
#include "cli/flags/arguments.hpp"

namespace mayfly::cli {

class RunStats {
 public:
  using Time = std::chrono::system_clock::time_point;
  // A listener is ended by a signal, independently of its tunnels.
  enum class Of { one_tunnel, listener };

  RunStats(std::string hostname, Of run, Time started)
      : hostname_(std::move(hostname)), run_(run), started_(started) {}

  // Counts a tunnel that has ended.
  void add(const Ending& ending);
  // Counts a tunnel that a listener could not open.
  void add_failure() { ++failures_; }
  // Records the error that ended the run.
  void fail(const Error& error);
  // Counts the listener's tunnels. The listener must not outlive this object.
  void watch(ListenerOptions& options);

  std::string line(Time now) const;

 private:
  std::string hostname_;
  Of run_;
  Time started_;
  std::uint64_t tunnels_ = 0, failures_ = 0, sent_ = 0, received_ = 0;
  std::optional<Ending> last_ending_;
  std::string error_;
};

struct StatsFlags {
  bool on_stderr = false;
  std::string file;
};

void bind_stats_flags(Parser& parser, StatsFlags& flags);

// Runs `carry` and writes the stats where the flags say, also if it throws Error. Throws
// Error(failed) beforehand for a file that cannot be opened.
std::optional<Ending> with_stats(const StatsFlags& flags, RunStats stats,
                                 const std::function<std::optional<Ending>(RunStats&)>& carry);

}  // namespace mayfly::cli
