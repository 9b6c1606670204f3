#include "access/core/spawn_settings.hpp"

namespace mayfly {

SpawnSettings::SpawnSettings() {
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF);
  sigset_t ignored;
  sigemptyset(&ignored);
  for (const int number : ignored_signals) sigaddset(&ignored, number);
  posix_spawnattr_setsigdefault(&attributes, &ignored);
}

SpawnSettings::~SpawnSettings() {
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
}

}  // namespace mayfly
