#include "cli/tunnel/traffic_lines.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "cli/terminal/time_text.hpp"

namespace mayfly::cli {
namespace {

constexpr std::size_t most_lines = 20;

std::string scaled(double bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  // 1023.95 and more would be shown as 1024.0.
  while (bytes >= (unit == 0 ? 1024 : 1023.95) && unit + 1 < units.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, units[unit]);
}

std::string amounts(const TunnelReport& report) {
  return fmt::format("sent {} ({}/s), received {} ({}/s)", size_text(report.traffic.sent),
                     scaled(report.sent_rate), size_text(report.traffic.received),
                     scaled(report.received_rate));
}

std::string round_trip_text(const Traffic& traffic) {
  if (!traffic.round_trip) return "no ping answered yet";
  return fmt::format("round trip {:.1f} ms",
                     std::chrono::duration<double, std::milli>(*traffic.round_trip).count());
}

std::string line(const TunnelReport& report) {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(report.traffic.age);
  return fmt::format("mayfly: {}{}open for {}, {}, {}\n", report.name,
                     report.name.empty() ? "" : ": ", duration_text(age), amounts(report),
                     round_trip_text(report.traffic));
}

TunnelReport sum(const std::vector<TunnelReport>& reports) {
  TunnelReport total;
  for (const TunnelReport& one : reports) {
    total.traffic.sent += one.traffic.sent;
    total.traffic.received += one.traffic.received;
    total.sent_rate += one.sent_rate;
    total.received_rate += one.received_rate;
  }
  return total;
}

bool is_busier(const TunnelReport& one, const TunnelReport& other) {
  const auto key = [](const TunnelReport& report) {
    return std::pair(report.sent_rate + report.received_rate,
                     report.traffic.sent + report.traffic.received);
  };
  return key(one) > key(other);
}

}  // namespace

std::string size_text(std::uint64_t bytes) {
  return scaled(static_cast<double>(bytes));
}

std::string traffic_lines(std::vector<TunnelReport> reports) {
  if (reports.empty()) return "mayfly: no tunnel is open\n";
  std::stable_sort(reports.begin(), reports.end(), is_busier);
  std::string text;
  for (std::size_t i = 0; i < std::min(reports.size(), most_lines); ++i) text += line(reports[i]);
  if (reports.size() > most_lines)
    text += fmt::format("mayfly: and {} more\n", reports.size() - most_lines);
  if (reports.size() > 1)
    text += fmt::format("mayfly: {} tunnels: {}\n", reports.size(), amounts(sum(reports)));
  return text;
}

}  // namespace mayfly::cli
