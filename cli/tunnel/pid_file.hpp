// The file with the process number of a listener (--pid-file).
#pragma once

#include <string>

namespace mayfly::cli {

class PidFile {
 public:
  // Writes the number of this process and a newline, whole or not at all; replaces a file that is
  // there. path "": there is no file. Throws Error(failed).
  explicit PidFile(const std::string& path);
  // Removes the file if it still names this process.
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  std::string path_;  // absolute, or ""
  std::string text_;
};

}  // namespace mayfly::cli
