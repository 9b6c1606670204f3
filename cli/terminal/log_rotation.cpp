#include "cli/terminal/log_rotation.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "access/system/descriptor.hpp"

namespace mayfly::cli {
namespace {

std::string numbered(const std::string& path, std::size_t number) {
  if (number == 0) return path;
  std::filesystem::path name(path);
  const std::string extension = name.extension();
  return fmt::format("{}.{}{}", name.replace_extension().string(), number, extension);
}

bool is_too_large(const struct stat& status, std::size_t more, std::size_t most_bytes) {
  const auto size = static_cast<std::size_t>(status.st_size);
  return size > 0 && size + more > most_bytes;
}

// Another process may have renamed it meanwhile.
bool is_named(const struct stat& file, const std::string& path) {
  struct stat named {};
  return ::stat(path.c_str(), &named) == 0 && named.st_dev == file.st_dev &&
         named.st_ino == file.st_ino;
}

// A gap is where a rotation was cut short: what is behind it has its place already.
std::size_t first_gap(const std::string& path, std::size_t last) {
  std::size_t number = 1;
  while (number < last && ::access(numbered(path, number).c_str(), F_OK) == 0) ++number;
  return number;
}

}  // namespace

void rotate_log_if_due(const std::string& path, std::size_t more, const LogRotation& rotation) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !is_too_large(status, more, rotation.most_bytes))
    return;
  // Who holds the lock does the work for all; over NFS only who may write can hold it (flock(2)).
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK));
  if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return;
  if (::fstat(file.get(), &status) != 0 || !is_named(status, path) ||
      !is_too_large(status, more, rotation.most_bytes))
    return;
  for (std::size_t to = first_gap(path, rotation.older); to > 0; --to)
    if (::rename(numbered(path, to - 1).c_str(), numbered(path, to).c_str()) != 0) return;
}

}  // namespace mayfly::cli
