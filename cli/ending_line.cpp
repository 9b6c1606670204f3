#include "cli/ending_line.hpp"

#include <fmt/format.h>

namespace mayfly::cli {

std::string ending_line(const Ending& ending) {
  return fmt::format("{} after {:.1f} s, {} bytes sent, {} received, close code {}",
                     ending.reason.empty() ? "connection lost" : ending.reason,
                     std::chrono::duration<double>(ending.age).count(), ending.sent,
                     ending.received, ending.close_code);
}

}  // namespace mayfly::cli
