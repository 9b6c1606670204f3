// What a tunnel's run came to, as one line of JSON (--stats).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "access/core/error.hpp"
#include "access/listen/listener.hpp"

namespace mayfly::cli {

class Parser;

class RunStats {
 public:
  using Time = std::chrono::system_clock::time_point;
  // A listener's own end is by a signal, whatever became of its tunnels.
  enum class Of { one_tunnel, listener };

  RunStats(std::string hostname, Of run, Time started)
      : hostname_(std::move(hostname)), run_(run), started_(started) {}

  // Each tunnel of the run, when it has ended.
  void add(const Ending& ending);
  // Each that did not come about, of a listener that goes on.
  void add_failure() { ++failures_; }
  // What the run ended with.
  void fail(const Error& error);
  // Adds what the listener tells of; it must not outlive this.
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

// Runs `carry`, and tells what it came to where the flags want it, also when it throws Error.
// Throws Error(failed) beforehand for a file that cannot be opened.
std::optional<Ending> with_stats(const StatsFlags& flags, RunStats stats,
                                 const std::function<std::optional<Ending>(RunStats&)>& carry);

}  // namespace mayfly::cli
