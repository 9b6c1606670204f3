#include "access/core/clock.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <ctime>

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

}  // namespace mayfly
