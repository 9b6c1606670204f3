// Restricts a process to a part of the file system; the kernel enforces it (Landlock).
#pragma once

#include <string>
#include <vector>

namespace mayfly {

// Directories and files by path, with everything beneath them. Absent ones are skipped.
struct PermittedFiles {
  std::vector<std::string> read;    // opened for reading, and listed
  std::vector<std::string> open;    // opened for reading, not listed
  std::vector<std::string> write;   // read, and written, made, renamed and removed
  std::vector<std::string> remove;  // directories: files in them are removed
  enum class Network { outgoing, none } network = Network::none;  // TCP; Linux 6.7
};

// From now on this thread, and threads and processes that it starts, can open, make and start
// nothing else. Returns 0 or errno: ENOSYS or EOPNOTSUPP in a kernel without Landlock.
int permit_only(const PermittedFiles& files) noexcept;

}  // namespace mayfly
