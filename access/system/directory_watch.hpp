// Waits for changes in a directory.
#pragma once

#include <chrono>

#include "access/system/descriptor.hpp"

namespace mayfly {

class DirectoryWatch {
 public:
  // Watches changes from now on. If the directory cannot be watched, wait() only sleeps.
  explicit DirectoryWatch(int directory);

  // Returns when a file was written, renamed or removed (temporary files do not count), at an
  // interrupt (interrupt.hpp), or after `at_most`.
  void wait(std::chrono::milliseconds at_most) const;

 private:
  enum class Seen { nothing, temporary_files, something };
  Seen read_events() const;

  Descriptor notifier_;
};

}  // namespace mayfly
