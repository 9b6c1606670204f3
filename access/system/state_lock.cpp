#include "access/system/state_lock.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/owners_umask.hpp"
#include "access/system/ownership.hpp"

namespace mayfly {
namespace {

bool is_writable(const StateDirectory& state) {
  return ::faccessat(state.descriptor(), ".", W_OK, AT_EACCESS) == 0;
}

Descriptor open_lock(const StateDirectory& state) {
  const OwnersUmask umask;
  // Not open for writing: closing it would be an event that wakes whoever watches the directory.
  Descriptor file(::openat(state.descriptor(), StateLock::file,
                           O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
  if (!file) {
    const int error = errno;
    if (error == EROFS || (error == EACCES && !is_writable(state))) return {};
    struct stat status {};
    if (::fstatat(state.descriptor(), StateLock::file, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(status.st_mode) && status.st_uid != ::geteuid())
      throw foreign_owner("lock", state.path_of(StateLock::file), status.st_uid);
    throw system_error("cannot open " + state.path_of(StateLock::file), error);
  }
  struct stat status {};
  if (::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_uid != ::geteuid())
    throw foreign_owner("lock", state.path_of(StateLock::file), status.st_uid);
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_uid != ::geteuid() || ((status.st_mode & 077) != 0 && ::fchmod(file.get(), 0600)))
    throw Error(ErrorKind::failed,
                fmt::format("cannot lock {}: it is no regular file of yours",
                            state.path_of(StateLock::file)),
                "remove it, and run the command again");
  return file;
}

}  // namespace

StateLock::StateLock(const StateDirectory& state, std::chrono::milliseconds patience) {
  if (state.descriptor() < 0) return;
  Descriptor lock = open_lock(state);
  if (!lock) return;
  if (lock_exclusively(lock, state.path_of(file), patience) == Flock::held) held_ = std::move(lock);
}

}  // namespace mayfly
