// Waiting until something happens in a directory.
#pragma once

#include <chrono>

#include "access/system/descriptor.hpp"

namespace mayfly {

class DirectoryWatch {
 public:
  // Sees what happens from now on. Where that cannot be watched, wait() only sleeps.
  explicit DirectoryWatch(int directory);

  // Until a file was written, got its name or went (temporary files do not count), or an interrupt
  // came (interrupt.hpp), at most so long.
  void wait(std::chrono::milliseconds at_most) const;

 private:
  enum class Seen { nothing, temporary_files, something };
  Seen read_events() const;

  Descriptor notifier_;
};

}  // namespace mayfly
