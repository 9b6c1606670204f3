#include "access/core/rfc3339.hpp"

#include <fmt/chrono.h>

#include <ctime>

namespace mayfly {

// Not by to_time_t(): that goes by way of nanoseconds, which end in 2262, and a token may say 9999
// for never.
std::string rfc3339(std::chrono::sys_seconds time) {
  const std::time_t seconds = time.time_since_epoch().count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

}  // namespace mayfly
