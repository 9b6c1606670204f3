// The umask under which a new file or directory gets its mode at once.
#pragma once

#include <sys/stat.h>

namespace mayfly {

// A chmod() afterwards would come too late for a process killed in between: under a umask that
// takes bits of the owner's away it would leave what not even its owner can open. For the moment of
// one call; the umask is the whole process's.
class OwnersUmask {
 public:
  OwnersUmask() noexcept : before_(::umask(077)) {}
  OwnersUmask(const OwnersUmask&) = delete;
  OwnersUmask& operator=(const OwnersUmask&) = delete;
  ~OwnersUmask() { ::umask(before_); }

 private:
  mode_t before_;
};

}  // namespace mayfly
