#include "cli/curl/memory_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "access/core/error.hpp"

namespace mayfly::cli {

Descriptor memory_file(std::string_view content) {
  Descriptor file(::memfd_create("mayfly", MFD_ALLOW_SEALING | MFD_CLOEXEC));
  if (!file) throw system_error("cannot make a file in memory", errno);
  while (!content.empty()) {
    const ssize_t written = ::write(file.get(), content.data(), content.size());
    if (written < 0) throw system_error("cannot write a file in memory", errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  return file;
}

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
