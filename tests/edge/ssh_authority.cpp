// The SSH CA: short-lived user certificates, made by the real ssh-keygen.
#include "ssh_authority.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <stdexcept>

#include "crypto.hpp"

namespace edge {
namespace {

// Runs ssh-keygen with everything it might say thrown away; true when it was content.
bool run_keygen(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "ssh-keygen");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t child = -1;
  const int failed = posix_spawnp(&child, "ssh-keygen", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot run ssh-keygen");
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string trimmed(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// ssh-keygen reads YYYYMMDDHHMMSS as local time unless a Z follows.
std::string keygen_time(std::time_t time) {
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &parts);
  return {text, size};
}

}  // namespace

SshAuthority::SshAuthority(std::string directory) : directory_(std::move(directory)) {
  const std::string ca = directory_ + "/ssh_ca";
  if (std::filesystem::exists(ca)) return;
  if (!run_keygen({"-q", "-t", "ed25519", "-N", "", "-C", "edge-ssh-ca", "-f", ca})) {
    throw std::runtime_error("ssh-keygen did not make " + ca);
  }
}

std::string SshAuthority::sign(const SshRequest& request, long now) {
  const std::string base = directory_ + "/signing-" + std::to_string(++serial_);
  write_file(base + ".pub", request.public_key + "\n", Access::owner);
  const std::string validity =
      keygen_time(now + request.from) + ":" + keygen_time(now + request.until);
  std::vector<std::string> arguments = {"-q",       "-s", directory_ + "/ssh_ca",  "-I",
                                        request.id, "-z", std::to_string(serial_), "-V",
                                        validity};
  if (request.host) arguments.push_back("-h");
  std::string principals;
  for (const auto& one : request.principals) principals += (principals.empty() ? "" : ",") + one;
  if (!principals.empty()) arguments.insert(arguments.end(), {"-n", principals});
  if (!request.critical_option.empty()) {
    arguments.insert(arguments.end(), {"-O", "critical:" + request.critical_option});
  }
  arguments.push_back(base + ".pub");
  const bool signed_well = run_keygen(arguments);
  std::string line = signed_well ? trimmed(read_file(base + "-cert.pub")) : std::string();
  std::filesystem::remove(base + ".pub");
  std::filesystem::remove(base + "-cert.pub");
  return line;
}

std::string SshAuthority::foreign_key() {
  const std::string path = directory_ + "/foreign";
  if (!std::filesystem::exists(path)) run_keygen({"-q", "-t", "ed25519", "-N", "", "-f", path});
  return trimmed(read_file(path + ".pub"));
}

}  // namespace edge
