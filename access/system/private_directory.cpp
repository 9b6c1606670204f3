#include "access/system/private_directory.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/owners_umask.hpp"
#include "access/system/ownership.hpp"

namespace mayfly {
namespace {

struct stat status_of(const Descriptor& directory, const std::string& path) {
  struct stat status {};
  if (::fstat(directory.get(), &status) != 0) throw system_error("cannot look at " + path, errno);
  return status;
}

Error open_to_others(const std::string& path, const char* mode) {
  return Error(ErrorKind::failed,
               fmt::format("cannot use {}: other users could use it, too", printable(path, 4096)),
               fmt::format("look at what is in it, and run: chmod {} {}", mode, pasted_word(path)));
}

// Opens the parent, and refuses one in which other users could replace the directory.
Descriptor open_parent(const std::string& path) {
  const std::string parent = path.substr(0, path.rfind('/'));
  Descriptor directory(
      ::open(parent.empty() ? "/" : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) throw system_error("cannot open " + parent, errno);
  const struct stat status = status_of(directory, parent);
  if (status.st_uid != ::geteuid() && status.st_uid != 0)
    throw foreign_owner("use", parent, status.st_uid);
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) throw open_to_others(parent, "go-w");
  return directory;
}

void make_in(const Descriptor& parent, const std::string& name, const std::string& path) {
  const OwnersUmask umask;
  if (::mkdirat(parent.get(), name.c_str(), 0700) != 0 && errno != EEXIST)
    throw system_error("cannot make the directory " + path, errno);
}

}  // namespace

void make_private_directory(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const Descriptor parent = open_parent(path);
  make_in(parent, name, path);
  const Descriptor directory(
      ::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) throw system_error("cannot open the directory " + path, errno);
  const struct stat status = status_of(directory, path);
  if (status.st_uid != ::geteuid()) throw foreign_owner("use", path, status.st_uid);
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) throw open_to_others(path, "700");
}

}  // namespace mayfly
