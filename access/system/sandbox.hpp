// The sandbox: a process gives up, for good, whatever a running tunnel does not need.
#pragma once

#include <string>

#include "access/system/landlock.hpp"

namespace mayfly {

// The outcome: 0 for each protection that is in force, otherwise errno.
struct Confinement {
  int system_calls = 0;  // seccomp
  int files = 0;         // Landlock, as much of it as the kernel knows

  bool is_whole() const noexcept { return system_calls == 0 && files == 0; }
  // Returns one line for people: which protections are in force, and why the others are not.
  std::string text() const;
};

// Confines a process whose tunnel runs between open descriptors. It can read, write, wait, measure
// time and end. To open, connect, start, fork, trace or make memory executable fails with EPERM.
// Open files, such as a log, can still be written.
Confinement confine_to_open_descriptors() noexcept;

// Confines a listener. It can accept, connect, look up names, open only `files`, and keep its
// threads. It cannot start a program or process, listen at another address (UDP included), connect
// to a Unix socket, trace or signal a process, or make writable memory executable.
Confinement confine_to_connecting(const PermittedFiles& files) noexcept;

}  // namespace mayfly
