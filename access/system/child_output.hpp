// Runs a short-lived program to its end and collects its output.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "access/system/child_environment.hpp"

namespace mayfly {

struct ChildProgram {
  std::vector<std::string> words;            // the first is a path, or a name to be found in PATH
  ChildEnvironment::Changes variables = {};  // set in its environment
  std::chrono::milliseconds patience = std::chrono::seconds(5);
};

struct ChildOutput {
  enum class How { exited, not_found, killed, timed_out } how = How::exited;
  int exit_code = 0;     // when it exited
  std::string out, err;  // of each at most 256 KiB
};

// Runs the program in a session of its own, so that neither it nor its children can prompt at the
// terminal. Kills all that are left at its end, or when `patience` is over. Throws Error(failed) if
// no process can be started, and at a signal.
ChildOutput run_child(const ChildProgram& program);

}  // namespace mayfly
