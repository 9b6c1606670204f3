// The destinations of the log: lines on standard error, and JSON lines in files that rotate.
#pragma once

#include <cstddef>
#include <string>

namespace mayfly::cli {

struct LogSettings {
  std::string file;       // --logfile
  std::string directory;  // --log-directory: cloudflared.log of 1 MiB, and five older files
  std::string level;      // debug, info, warn, error, fatal; "" is info
  // warnings: lines of the levels warn and above.
  enum class Terminal { silent, warnings, lines } terminal = Terminal::silent;
};

// Warns of an unknown level and takes info. Throws Error(failed) for a file that cannot be written.
void start_logging(const LogSettings& settings);
// Rotates a last time if it is due, for a process that gives up opening files.
void stop_rotating_log_files();

struct LogRotation {
  std::size_t most_bytes;  // of a file
  std::size_t older;       // the number of files besides the current one
};

// Renames the log and its older files (log.txt, log.1.txt, log.2.txt) if `more` bytes would make it
// too large. Several processes may rotate at once, and one may be killed at any time: only lines of
// the oldest file are lost. A file that cannot be renamed stays.
void rotate_log_if_due(const std::string& path, std::size_t more, const LogRotation& rotation);

}  // namespace mayfly::cli
