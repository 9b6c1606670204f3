#include "cli/login/browser.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "access/core/clock.hpp"
#include "access/system/interrupt.hpp"
#include "access/system/spawn_settings.hpp"
#include "cli/environment.hpp"
#include "cli/login/browser_commands.hpp"

namespace mayfly::cli {
namespace {

// A browser that runs in the foreground lives as long as its window: one that has not failed by
// then works.
constexpr auto time_to_fail = std::chrono::milliseconds(1500);

struct Silenced : SpawnSettings {
  Silenced() {
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
      posix_spawn_file_actions_addopen(&files, standard, "/dev/null", O_RDWR, 0);
  }
};

bool survives_or_succeeds(pid_t child) {
  const TimeLimit limit(time_to_fail);
  while (!limit.is_over() && interrupted_by() == 0) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child)
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    ::poll(nullptr, 0, 10);
  }
  return true;
}

bool run(const Words& words) {
  Silenced settings;
  pid_t child = 0;
  return settings.spawn(child, words, ChildEnvironment()) == 0 && survives_or_succeeds(child);
}

}  // namespace

bool open_in_browser(const std::string& url) {
  const auto commands = browser_commands(url, variable("BROWSER"), this_desktop());
  return std::any_of(commands.begin(), commands.end(), run);
}

}  // namespace mayfly::cli
