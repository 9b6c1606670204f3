// What SIGUSR1 prints.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>

#include "cli/tunnel/reports.hpp"

using namespace mayfly;
using namespace mayfly::cli;
using namespace std::chrono_literals;

namespace {

TunnelReport report(const std::string& name, std::uint64_t sent) {
  return {.name = name,
          .traffic = {.sent = sent, .received = 2 * sent, .age = 90'000ms, .round_trip = 12'340us},
          .sent_rate = static_cast<double>(sent) / 100,
          .received_rate = 0};
}

}  // namespace

TEST_CASE("traffic: sizes") {
  CHECK(size_text(0) == "0 B");
  CHECK(size_text(1023) == "1023 B");
  CHECK(size_text(1024) == "1.0 KiB");
  CHECK(size_text(1'048'575) == "1.0 MiB");
  CHECK(size_text(1'572'864) == "1.5 MiB");
  CHECK(size_text(5ULL << 40) == "5.0 TiB");
  CHECK(size_text(5000ULL << 40) == "5000.0 TiB");
}

TEST_CASE("traffic: one tunnel is one line") {
  CHECK(traffic_lines({report("vm.example.com", 2048)}) ==
        "mayfly: vm.example.com: open for 1 min, sent 2.0 KiB (20 B/s), received 4.0 KiB (0 B/s), "
        "round trip 12.3 ms\n");
  TunnelReport silent = report("", 0);
  silent.traffic.round_trip.reset();
  CHECK(traffic_lines({silent}) ==
        "mayfly: open for 1 min, sent 0 B (0 B/s), received 0 B (0 B/s), no ping answered yet\n");
  CHECK(traffic_lines({}) == "mayfly: no tunnel is open\n");
}

TEST_CASE("traffic: several, the busiest first, and their sum") {
  const std::string text = traffic_lines({report("slow", 100), report("fast", 300)});
  CHECK(text.find("mayfly: fast: ") == 0);
  CHECK(text.find("mayfly: slow: ") < text.find("mayfly: 2 tunnels: "));
  CHECK(text.ends_with("mayfly: 2 tunnels: sent 400 B (4 B/s), received 800 B (0 B/s)\n"));
}

TEST_CASE("traffic: of many, twenty") {
  std::vector<TunnelReport> reports;
  for (int i = 0; i < 57; ++i) reports.push_back(report(fmt::format("n{}", i), 1024));
  const std::string text = traffic_lines(std::move(reports));
  CHECK(std::count(text.begin(), text.end(), '\n') == 22);
  CHECK(text.find("\nmayfly: and 37 more\nmayfly: 57 tunnels: sent 57.0 KiB ") !=
        std::string::npos);
}
