#include "access/core/duration_text.hpp"

#include <fmt/format.h>

namespace mayfly {
namespace {

std::string two_units(long long count, const char* unit, long long rest, const char* smaller) {
  return rest == 0 ? fmt::format("{} {}", count, unit)
                   : fmt::format("{} {} {} {}", count, unit, rest, smaller);
}

}  // namespace

std::string duration_text(std::chrono::seconds duration) {
  const long long seconds = duration.count();
  if (seconds < 60) return fmt::format("{} s", seconds);
  const long long minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
  if (hours == 0) return fmt::format("{} min", minutes);
  return days == 0 ? two_units(hours, "h", minutes % 60, "min")
                   : two_units(days, "d", hours % 24, "h");
}

}  // namespace mayfly
