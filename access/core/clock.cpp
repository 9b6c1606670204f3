#include "access/core/clock.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>

namespace mayfly {
namespace {

using std::chrono::milliseconds;

// Not by to_time_t(): that goes by way of nanoseconds, which end in 2262, and a token may say 9999
// for never.
std::tm broken_down(std::chrono::sys_seconds time) {
  return fmt::gmtime(static_cast<std::time_t>(time.time_since_epoch().count()));
}

std::string two_units(long long count, const char* unit, long long rest, const char* smaller) {
  return rest == 0 ? fmt::format("{} {}", count, unit)
                   : fmt::format("{} {} {} {}", count, unit, rest, smaller);
}

// Returns the seconds in a unit of OpenSSH's time formats, or 0 for any other letter.
std::int64_t seconds_in(char unit) {
  switch (unit) {
    case 's':
    case 'S':
      return 1;
    case 'm':
    case 'M':
      return 60;
    case 'h':
    case 'H':
      return std::int64_t{60} * 60;
    case 'd':
    case 'D':
      return std::int64_t{24} * 60 * 60;
    case 'w':
    case 'W':
      return std::int64_t{7} * 24 * 60 * 60;
    default:
      return 0;
  }
}

}  // namespace

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

milliseconds TimeLimit::left() const {
  return std::max(std::chrono::ceil<milliseconds>(end_ - Clock::now()), milliseconds::zero());
}

std::string rfc3339(std::chrono::sys_seconds time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", broken_down(time));
}

std::string utc_text(std::chrono::sys_seconds time) {
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", broken_down(time));
}

std::string duration_text(std::chrono::seconds duration) {
  const long long seconds = duration.count();
  if (seconds < 60) return fmt::format("{} s", seconds);
  const long long minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
  if (hours == 0) return fmt::format("{} min", minutes);
  return days == 0 ? two_units(hours, "h", minutes % 60, "min")
                   : two_units(days, "d", hours % 24, "h");
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  constexpr std::int64_t longest = std::numeric_limits<std::int32_t>::max();
  std::int64_t total = 0;
  while (!text.empty()) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const std::int64_t unit = text.empty() ? 1 : seconds_in(text.front());
    if (unit == 0) return std::nullopt;
    if (!text.empty()) text.remove_prefix(1);
    total += number * unit;  // at most 2^32 weeks, and `total` before it at most 2^31
    if (total > longest) return std::nullopt;
  }
  if (total == 0) return std::nullopt;
  return std::chrono::seconds(total);
}

}  // namespace mayfly
