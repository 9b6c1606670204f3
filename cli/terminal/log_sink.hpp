// Where the libraries' log goes: readable lines on stderr, JSON lines in files.
#pragma once

#include <string>

namespace mayfly::cli {

struct LogSettings {
  std::string file;       // --logfile: appended to
  std::string directory;  // --log-directory: cloudflared.log in it, 1 MB each, five older ones kept
                          // (as cloudflared does)
  std::string level;      // debug, info, warn, error, fatal; "" is info
  enum class Terminal { silent, lines } terminal = Terminal::silent;
};

// Warns of an unknown level, and takes info. Throws Error(failed) for a file that cannot be
// written.
void start_logging(const LogSettings& settings);
// The last rotation, if one is due: for a process that gives up opening files.
void stop_rotating_log_files();

}  // namespace mayfly::cli
