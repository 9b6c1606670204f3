// The line of --stats.
#include "cli/tunnel/run_stats.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace mayfly;
using namespace mayfly::cli;
using namespace std::chrono_literals;

namespace {

// 2026-01-31 17:05:00 UTC.
const RunStats::Time start{std::chrono::seconds(1'769'879'100)};

Ending ending(Ending::How how, std::uint64_t sent) {
  Ending made;
  made.how = how;
  made.close_code = 1000;
  made.sent = sent;
  made.received = 10 * sent;
  made.round_trip = 12'345us;
  made.ray = "8f1c2a3b4d5e6f70-FRA";
  return made;
}

nlohmann::json read(const RunStats& stats) {
  const std::string line = stats.line(start + 1500ms);
  CHECK(line.find('\n') == line.size() - 1);
  return nlohmann::json::parse(line);
}

}  // namespace

TEST_CASE("stats: one tunnel") {
  RunStats stats("vm.example.com", RunStats::Of::one_tunnel, start);
  stats.add(ending(Ending::How::closed, 7));
  CHECK(read(stats) == nlohmann::json::parse(R"({
      "hostname": "vm.example.com", "started": "2026-01-31T17:05:00Z", "seconds": 1.5,
      "tunnels": 1, "failures": 0, "sent": 7, "received": 70, "ended": "closed",
      "close_code": 1000, "reason": "", "round_trip_ms": 12.345,
      "cf_ray": "8f1c2a3b4d5e6f70-FRA"})"));
}

TEST_CASE("stats: no tunnel came about") {
  RunStats stats("vm.example.com", RunStats::Of::one_tunnel, start);
  stats.fail(Error(ErrorKind::network, "cannot reach vm.example.com: no route to it"));
  const auto line = read(stats);
  CHECK(line["ended"] == "failed");
  CHECK(line["reason"] == "cannot reach vm.example.com: no route to it");
  CHECK(line["tunnels"] == 0);
  CHECK(line["failures"] == 1);
  CHECK(line["close_code"].is_null());
}

TEST_CASE("stats: a listener's tunnels together") {
  RunStats stats("db.example.com", RunStats::Of::listener, start);
  stats.add(ending(Ending::How::closed, 1));
  stats.add(ending(Ending::How::cut, 2));
  stats.add_failure();
  CHECK(read(stats) == nlohmann::json::parse(R"({
      "hostname": "db.example.com", "started": "2026-01-31T17:05:00Z", "seconds": 1.5,
      "tunnels": 2, "failures": 1, "sent": 3, "received": 30, "ended": "interrupted"})"));
}
