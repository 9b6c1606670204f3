// How mayfly starts other programs.
#pragma once

#include <spawn.h>

#include <csignal>
#include <string>
#include <vector>

#include "access/system/child_environment.hpp"

namespace mayfly {

// The signals that mayfly ignores. A program that it starts or becomes would inherit that.
inline constexpr int ignored_signals[] = {SIGPIPE, SIGUSR1};

// Has a spawned program inherit no descriptor from `first` on. Returns 0, or posix_spawn's error
// number.
int close_in_child_from(posix_spawn_file_actions_t& actions, int first) noexcept;

// Does the same with POSIX calls alone, for the descriptors that are open now.
int close_each_in_child_from(posix_spawn_file_actions_t& actions, int first) noexcept;

// The settings for posix_spawn. The program gets a session of its own, so that it receives no
// Ctrl-C and cannot prompt at the terminal, and it ignores no signal. Callers add where its
// descriptors 0, 1 and 2 lead.
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
