// The umask under which a new file or directory gets its mode at once.
#pragma once

#include <sys/stat.h>

namespace mayfly {

// A chmod() afterwards would come too late if the process is killed in between, and under a umask
// that masks bits of the owner, the owner could not open the file. Keep the object for one call
// only: the umask belongs to the whole process.
class OwnersUmask {
 public:
  explicit OwnersUmask(mode_t masked = 077) noexcept : before_(::umask(masked)) {}
  OwnersUmask(const OwnersUmask&) = delete;
  OwnersUmask& operator=(const OwnersUmask&) = delete;
  ~OwnersUmask() { ::umask(before_); }

 private:
  mode_t before_;
};

}  // namespace mayfly
