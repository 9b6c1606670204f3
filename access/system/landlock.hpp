// A part of the file system, and no more, enforced by the kernel (Landlock).
#pragma once

#include <string>
#include <vector>

namespace mayfly {

// Directories and files by path, with all that is beneath them; what does not exist is left out.
struct PermittedFiles {
  std::vector<std::string> read;    // opened for reading, and listed
  std::vector<std::string> open;    // opened for reading by who knows the name
  std::vector<std::string> write;   // read, and written, made, renamed and removed
  std::vector<std::string> remove;  // directories: files in them are removed
  enum class Network { outgoing, none } network = Network::none;  // TCP; Linux 6.7
};

// From now on nothing else is opened, made or started, by this thread and what it starts. 0, or the
// errno that says why not: ENOSYS or EOPNOTSUPP in a kernel without Landlock.
int permit_only(const PermittedFiles& files) noexcept;

}  // namespace mayfly
