#include "access/system/spawn_settings.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace mayfly {

int close_each_in_child_from(posix_spawn_file_actions_t& actions, int first) noexcept {
  const long most = std::clamp(::sysconf(_SC_OPEN_MAX), 256L, 65536L);
  for (int fd = first; fd < most; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) continue;
    if (const int error = ::posix_spawn_file_actions_addclose(&actions, fd)) return error;
  }
  return 0;
}

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

int SpawnSettings::spawn(pid_t& pid, const std::vector<std::string>& words,
                         const ChildEnvironment& environment) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  // The last action, behind those that lead 0, 1 and 2 somewhere. Without close_range(2) the C
  // library closes them one by one.
  const int error = close_in_child_from(files, STDERR_FILENO + 1);
  if (error != 0) return error;
  return ::posix_spawnp(&pid, arguments[0], &files, &attributes, arguments.data(),
                        environment.get());
}

}  // namespace mayfly
