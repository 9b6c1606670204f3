// Log files that change names when they are full: log.txt, log.1.txt, log.2.txt.
#pragma once

#include <cstddef>
#include <string>

namespace mayfly::cli {

struct LogRotation {
  std::size_t most_bytes;  // of a file
  std::size_t older;       // files that are kept besides the current one
};

// Renames the file at the path, and the older ones, when `more` bytes would make it too large. No
// line is lost but those of the oldest file, by several processes that rotate at once or by one
// that was killed half-way. What cannot be renamed stays as it is.
void rotate_log_if_due(const std::string& path, std::size_t more, const LogRotation& rotation);

}  // namespace mayfly::cli
