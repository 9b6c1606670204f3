// An exclusive flock(2) for which no process waits for ever.
#pragma once

#include <chrono>
#include <string>

#include "access/system/descriptor.hpp"

namespace mayfly {

inline constexpr std::chrono::milliseconds usual_flock_patience = std::chrono::seconds(5);

enum class Flock { held, unsupported };

// Locks an open file or directory, and waits for other processes meanwhile; the lock ends with the
// descriptor. Returns `unsupported` on a file system that cannot lock it. Throws Error(failed)
// after `patience`, naming `path`, and at an interruption (interrupt.hpp).
Flock lock_exclusively(const Descriptor& file, const std::string& path,
                       std::chrono::milliseconds patience = usual_flock_patience);

}  // namespace mayfly
