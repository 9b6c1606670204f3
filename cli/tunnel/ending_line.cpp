#include "cli/tunnel/ending_line.hpp"

#include <fmt/core.h>

#include "access/core/log.hpp"

namespace mayfly::cli {

std::string ending_line(const Ending& ending) {
  const char* const why = ending.how == Ending::How::closed ? "closed" : "connection lost";
  std::string line = fmt::format(
      "{} after {:.1f} s, {} bytes sent, {} received", ending.reason.empty() ? why : ending.reason,
      std::chrono::duration<double>(ending.age).count(), ending.sent, ending.received);
  if (ending.how != Ending::How::undelivered)  // nobody closed it
    line += fmt::format(", close code {}", ending.close_code);
  return line;
}

void log_ending(const Ending& ending) {
  if (!is_logged(LogLevel::debug)) return;
  log(LogLevel::debug, "tunnel ended", {{"how", ending_line(ending)}, {"cf-ray", ending.ray}});
}

}  // namespace mayfly::cli
