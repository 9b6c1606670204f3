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

}  // namespace

Descriptor open_appended_file(const std::string& path) {
  Descriptor file = make(path);
  if (file || errno != EEXIST) return file;
  file = Descriptor(::open(path.c_str(), appending | O_NOFOLLOW));
  if (file || errno != ELOOP) return file;
  if (is_trusted_link(path)) return Descriptor(::open(path.c_str(), appending));
  errno = ELOOP;
  return file;
}

}  // namespace mayfly
