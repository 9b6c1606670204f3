#include "cli/curl/memory_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>

#include "access/core/error.hpp"

namespace mayfly::cli {

void hand_over(const Descriptor& file) {
  if (file && ::fcntl(file.get(), F_SETFD, 0) != 0)
    throw system_error("cannot hand a file over to another program", errno);
  if (file && ::access(path_of(file).c_str(), R_OK) != 0) {
    const Error reason = system_error("cannot hand a secret over by " + path_of(file), errno);
    throw Error(reason.kind(), reason.message(), "mount /proc, which /dev/fd leads to");
  }
}

std::string path_of(const Descriptor& file) {
  return fmt::format("/dev/fd/{}", file.get());
}

}  // namespace mayfly::cli
