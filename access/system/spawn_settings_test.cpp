// Shows which descriptors a spawned program inherits, by /bin/sh, whose redirection fails for a
// closed one.
#include "access/system/spawn_settings.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "access/system/descriptor.hpp"

namespace mayfly {
namespace {

// Returns whether a shell that is spawned with these actions has the descriptor.
bool shell_has(int descriptor, posix_spawn_file_actions_t& actions) {
  std::string shell = "/bin/sh", option = "-c",
              script = "[ -e /dev/fd/" + std::to_string(descriptor) + " ]";
  char* const words[] = {shell.data(), option.data(), script.data(), nullptr};
  char* const environment[] = {nullptr};
  pid_t pid = 0;
  REQUIRE(::posix_spawn(&pid, shell.c_str(), &actions, nullptr, words, environment) == 0);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("spawn: descriptors are closed one by one where the C library cannot close all") {
  const Descriptor opened(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int inherited = ::fcntl(opened.get(), F_DUPFD, 3);  // without close-on-exec
  const Descriptor owner(inherited);
  REQUIRE(inherited >= 3);
  SpawnSettings before, after;
  CHECK(shell_has(inherited, before.files));
  REQUIRE(close_each_in_child_from(after.files, inherited) == 0);
  CHECK_FALSE(shell_has(inherited, after.files));
}

}  // namespace mayfly
