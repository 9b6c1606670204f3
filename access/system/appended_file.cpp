#include "access/system/appended_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "access/system/owners_umask.hpp"

namespace mayfly {
namespace {

constexpr int appending = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY;

Descriptor make(const std::string& path) {
  const OwnersUmask umask;
  return Descriptor(::open(path.c_str(), appending | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
}

bool is_trusted_link(const std::string& path) {
  struct stat link {};
  return ::lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode) &&
         (link.st_uid == 0 || link.st_uid == ::geteuid());
}

// A file that somebody else has put there would be his to read, and a pipe of his would hold us up.
bool belongs_to_others(const struct stat& status) {
  const bool keeps = S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode);
  return keeps && status.st_uid != 0 && status.st_uid != ::geteuid();
}

// As open(2) says it; what is at the path may be another file by the time it is opened.
Descriptor open_existing(const std::string& path, int flags) {
  struct stat status {};
  const bool is_foreign = ::stat(path.c_str(), &status) == 0 && belongs_to_others(status);
  Descriptor file(is_foreign ? -1 : ::open(path.c_str(), flags));
  if (!is_foreign && (!file || ::fstat(file.get(), &status) != 0 || !belongs_to_others(status)))
    return file;
  errno = EPERM;
  return {};
}

}  // namespace

Descriptor open_appended_file(const std::string& path) {
  Descriptor file = make(path);
  if (file || errno != EEXIST) return file;
  if (is_trusted_link(path)) return open_existing(path, appending);
  file = open_existing(path, appending | O_NOFOLLOW);
  if (file || errno != ELOOP) return file;
  errno = ELOOP;
  return file;
}

}  // namespace mayfly
