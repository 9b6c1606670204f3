#include "cli/flags/secret_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "access/core/error.hpp"
#include "access/system/descriptor.hpp"

namespace mayfly::cli {
namespace {

constexpr std::size_t longest = 4096;

}  // namespace

Secret read_secret_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    throw Error(ErrorKind::usage,
                system_error("cannot read the secret in " + path, errno).message());
  }
  // Pipes and /dev/fd are fine; what matters is that a file is nobody else's to read.
  if (S_ISREG(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw Error(ErrorKind::usage,
                fmt::format("cannot use the secret in {}: others can read it", path),
                fmt::format("run: chmod 600 {}", path));
  }
  std::string text(longest + 1, '\0');
  const auto size =
      static_cast<std::size_t>(std::max<std::ptrdiff_t>(read_all(file.get(), text), 0));
  const Secret whole(std::string_view(text).substr(0, size));
  wipe(text);
  const auto line = whole.reveal().substr(0, whole.reveal().find_first_of("\r\n"));
  if (line.empty() || size > longest) {
    throw Error(ErrorKind::usage, fmt::format("cannot use the secret in {}: it is {}", path,
                                              line.empty() ? "empty" : "too long"));
  }
  return Secret(line);
}

}  // namespace mayfly::cli
