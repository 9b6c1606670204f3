#include "cli/tunnel/reports.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>

#include "access/core/clock.hpp"
#include "access/core/log.hpp"
#include "access/system/report_signal.hpp"
#include "cli/terminal/message.hpp"
#include "cli/terminal/time_text.hpp"

namespace mayfly::cli {
std::string ending_line(const Ending& ending) {
  const char* const why = ending.how == Ending::How::closed ? "closed" : "connection lost";
  std::string line = fmt::format(
      "{} after {:.1f} s, {} bytes sent, {} received", ending.reason.empty() ? why : ending.reason,
      std::chrono::duration<double>(ending.age).count(), ending.sent, ending.received);
  if (ending.how != Ending::How::undelivered)  // then no side closed the tunnel
    line += fmt::format(", close code {}", ending.close_code);
  return line;
}

void log_ending(const Ending& ending) {
  if (!is_logged(LogLevel::debug)) return;
  log(LogLevel::debug, "tunnel ended", {{"how", ending_line(ending)}, {"cf-ray", ending.ray}});
}

namespace {

constexpr std::size_t most_lines = 20;

std::string scaled(double bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  // One decimal would round 1023.95 to 1024.0.
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

constexpr std::size_t longest_payload = 1024;

std::string escaped(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte > 0x7e ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
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

void report_traffic_on_signal(TunnelOptions& options) {
  catch_report_signal();
  options.report = [](const std::vector<TunnelReport>& reports) {
    print_notice(traffic_lines(reports));
  };
}

std::string quoted(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) text += escaped(c);
  return text + '"';
}

PayloadObserver payload_log(std::string host, std::uint64_t most) {
  const auto left = std::make_shared<std::uint64_t>(most);  // copies count together
  return [host = std::move(host), left](PayloadDirection direction, std::string_view bytes) {
    if (*left == 0) return;
    --*left;
    const std::string count = fmt::format("{}", bytes.size());
    log(LogLevel::debug,
        quoted(bytes.substr(0, longest_payload)) + (bytes.size() > longest_payload ? "..." : ""),
        {{"kind", "payload"},
         {"host", host},
         {"dir", direction == PayloadDirection::from_local ? "r" : "w"},
         {"count", count}});
  };
}

}  // namespace mayfly::cli
