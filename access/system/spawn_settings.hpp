// How programs of others are started by us.
#pragma once

#include <spawn.h>

#include <csignal>
#include <string>
#include <vector>

#include "access/system/child_environment.hpp"

namespace mayfly {

// By our whole process: a program that is started in it, or in its place, would ignore them too.
inline constexpr int ignored_signals[] = {SIGPIPE, SIGUSR1};

// For posix_spawn: a session of its own, so that Ctrl-C at our terminal is not meant for it and it
// has none to ask anything at, and no signal ignored. Where its descriptors 0, 1 and 2 lead is the
// user's to say.
class SpawnSettings {
 public:
  SpawnSettings();
  ~SpawnSettings();
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // Starts a program, found in PATH, which inherits no descriptor but 0, 1 and 2: neither ours nor
  // any that we were started with. Returns 0, or posix_spawn's error number.
  int spawn(pid_t& pid, const std::vector<std::string>& words, const ChildEnvironment& environment);

  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
};

}  // namespace mayfly
