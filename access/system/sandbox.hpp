// Giving up, for good, what a running tunnel has no use for.
#pragma once

#include <string>

#include "access/system/landlock.hpp"

namespace mayfly {

// What the kernel now holds back; 0 where it does, otherwise the errno that says why not.
struct Confinement {
  int system_calls = 0;  // seccomp
  int files = 0;         // Landlock, as much of it as the kernel knows

  bool is_whole() const noexcept { return system_calls == 0 && files == 0; }
  // For people, one line: what is held back, and what is not and why.
  std::string text() const;
};

// For a process whose tunnel runs between descriptors that are open already: it can read, write,
// wait, keep time and end. Nothing is opened, connected, started, forked, traced or made executable
// any more; what tries fails with EPERM. Files that are open, such as a log, can still be written.
Confinement confine_to_open_descriptors() noexcept;

// For a listener. It accepts, connects, looks names up, opens `files` and nothing else, and keeps
// its threads; it starts no program and no process, listens at no other address (UDP included),
// speaks to no local service by a Unix socket that it has not open, traces and signals nobody, and
// makes nothing executable that it can write.
Confinement confine_to_connecting(const PermittedFiles& files) noexcept;

}  // namespace mayfly
