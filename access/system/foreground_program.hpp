// Runs a program in the foreground of this process's terminal, and passes signals on to it.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "access/system/child_environment.hpp"

namespace mayfly {

struct ForegroundProgram {
  std::vector<std::string> words;  // the first is a path, or a name to be found in PATH
  const ChildEnvironment& environment;
  // A child process whose end ends the program.
  pid_t companion = 0;
  // Called once the program runs.
  std::function<void(pid_t)> started = [](pid_t) {};
  // Asked twice a second whether the program has to end.
  std::function<bool()> has_to_end = [] { return false; };
};

struct ProgramEnd {
  int exit_code = 0;             // the program's, or 128 and the number of its signal
  int start_error = 0;           // errno if it could not be executed, or 0
  bool companion_ended = false;  // the companion ended before the program; it is not waited for
};

// Runs the program to its end, in the process group and session of this process, so that the
// terminal sends both its signals. The program inherits the descriptors that this process was
// started with, and none of ours; it gets SIGTERM if this process dies (platform.hpp). SIGTERM,
// SIGINT and SIGHUP from other processes are passed on to it, and those of the terminal, which it
// gets itself, are not; has_to_end sends it SIGTERM. If the program stops, this process stops, too,
// so that the shell gets its terminal back. Throws Error(failed) if no process can be started.
ProgramEnd run_in_foreground(const ForegroundProgram& program);

}  // namespace mayfly
