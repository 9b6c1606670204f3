#include "access/system/temporary_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sodium.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "access/core/error.hpp"
#include "access/core/state_names.hpp"
#include "access/system/directory_listing.hpp"
#include "access/system/owners_umask.hpp"
#include "access/system/platform.hpp"

namespace mayfly {
namespace {

// False when another process took the file for an orphan between open and flock. On a file system
// without flock it is written all the same; orphans then stay.
bool hold(int file) {
  uninterrupted([&] { return ::flock(file, LOCK_EX); });
  struct stat status {};
  return ::fstat(file, &status) != 0 || status.st_nlink > 0;
}

Descriptor create(int directory, const std::string& name) {
  const OwnersUmask umask;
  return Descriptor(::openat(directory, name.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
}

std::string random_name() {
  return state_name(StateFile::temporary,
                    fmt::format("{:08x}{:08x}", randombytes_random(), randombytes_random()));
}

}  // namespace

bool TemporaryFile::is_name(std::string_view name) noexcept {
  return stem_of(StateFile::temporary, name).has_value();
}

// The lock is free only when the writer is gone: flock ends with the process.
void TemporaryFile::remove_orphan(int directory, const std::string& name) noexcept {
  // NFS wants a file open for writing when it is locked exclusively.
  const Descriptor file(
      ::openat(directory, name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) ::unlinkat(directory, name.c_str(), 0);
}

void TemporaryFile::remove_orphans(int directory, const std::string& directory_path) {
  for (const std::string& name : list_directory(directory, directory_path)) {
    if (is_name(name)) remove_orphan(directory, name);
  }
}

TemporaryFile::TemporaryFile(int directory, std::string directory_path)
    : directory_(directory), directory_path_(std::move(directory_path)) {
  do {
    name_ = random_name();
    file_ = create(directory_, name_);
    if (!file_ && errno != EEXIST) {
      throw system_error(fmt::format("cannot write in {}", directory_path_), errno);
    }
  } while (!file_ || !hold(file_.get()));
}

TemporaryFile::TemporaryFile(TemporaryFile&& other) noexcept
    : directory_(other.directory_),
      directory_path_(std::move(other.directory_path_)),
      name_(std::exchange(other.name_, {})),
      file_(std::move(other.file_)) {}

TemporaryFile::~TemporaryFile() {
  if (!name_.empty()) ::unlinkat(directory_, name_.c_str(), 0);
}

void TemporaryFile::write(std::string_view content, Sync sync) {
  if (!write_all(file_.get(), content) || (sync == Sync::to_disk && ::fsync(file_.get()) != 0))
    throw system_error(fmt::format("cannot write in {}", directory_path_), errno);
}

void TemporaryFile::rename_over(const std::string& name) {
  if (::renameat(directory_, name_.c_str(), directory_, name.c_str()) != 0) {
    throw system_error(fmt::format("cannot replace {}/{}", directory_path_, name), errno);
  }
  name_.clear();
}

bool TemporaryFile::rename_to_free(const std::string& name) {
  const int error = rename_to_free_name(directory_, name_.c_str(), name.c_str());
  if (error == 0) {
    name_.clear();
    return true;
  }
  if (error == EEXIST) return false;
  // Not every file system has it; a hard link is as atomic.
  if (::linkat(directory_, name_.c_str(), directory_, name.c_str(), 0) == 0) {
    ::unlinkat(directory_, name_.c_str(), 0);
    name_.clear();
    return true;
  }
  if (errno == EEXIST) return false;
  throw system_error(fmt::format("cannot create {}/{}", directory_path_, name), errno);
}

}  // namespace mayfly
