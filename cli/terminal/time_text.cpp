#include "cli/terminal/time_text.hpp"

#include <fmt/chrono.h>

#include <ctime>

namespace mayfly::cli {
namespace {

std::tm local_time(std::chrono::sys_seconds time) {
  const std::time_t seconds = time.time_since_epoch().count();  // not by to_time_t(): clock.cpp
  std::tm broken_down{};
  ::localtime_r(&seconds, &broken_down);
  return broken_down;
}

}  // namespace

std::string countdown_text(std::chrono::seconds left) {
  return fmt::format("{}:{:02}", left.count() / 60, left.count() % 60);
}

std::string clock_text(std::chrono::sys_seconds time, std::chrono::sys_seconds now) {
  const std::tm then = local_time(time), today = local_time(now);
  if (then.tm_year == today.tm_year && then.tm_yday == today.tm_yday)
    return fmt::format("{:%H:%M}", then);
  return fmt::format("{:%Y-%m-%d %H:%M}", then);
}

}  // namespace mayfly::cli
