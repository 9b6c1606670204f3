// The lock of the whole state directory, for changes that must not overlap: storing a token and
// logging out, or two processes that choose a port.
#pragma once

#include <chrono>

#include "access/system/bounded_flock.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/files.hpp"

namespace mayfly {

// Held while it lives, and no longer than the process. The lock is on a file that other users
// cannot open: flock(2) on a directory needs no more than the right to read it. The file is never
// removed, since another process could then hold a lock on a file that has no name any more.
class StateLock {
 public:
  static constexpr const char* file = state_lock_name;

  // Waits for other processes. Takes no lock if the directory is empty or unwritable, or if its
  // file system has no locks. Throws Error(failed) after `patience`, at an interrupt
  // (interrupt.hpp), and if `file` is no regular file of the user.
  explicit StateLock(const StateDirectory& state,
                     std::chrono::milliseconds patience = usual_flock_patience);

 private:
  Descriptor held_;
};

}  // namespace mayfly
