#include "access/system/session_watch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "access/system/descriptor.hpp"
#include "access/system/platform.hpp"

namespace mayfly {
namespace {

// The variable may hold anything, and becomes part of a path.
std::string session_name() {
  const char* const value = std::getenv("XDG_SESSION_ID");
  const std::string name = value == nullptr ? "" : value;
  constexpr std::string_view letters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  return name.find_first_not_of(letters) == name.npos ? name : "";
}

// logind says "STATE=closing" once the person has logged out, while processes of the session are
// left, and removes the file with the last one.
bool is_open(const std::string& file) {
  std::ifstream lines(file);
  if (!lines) return false;
  for (std::string line; std::getline(lines, line);)
    if (line == "STATE=closing") return false;
  return true;
}

// Returns the shell of the controlling terminal, or 0. A terminal that a program has made for ssh
// or for this process alone ends with them, while the person may still be at the browser.
long shell_of_terminal() {
  const Descriptor terminal(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  const pid_t leader = ::getsid(0);
  if (!terminal || leader <= 0 || leader == ::getpid()) return 0;
  const auto facts = process_facts(leader);
  const bool is_ssh = facts && !facts->words.empty() &&
                      std::filesystem::path(facts->words.front()).filename() == "ssh";
  return is_ssh ? 0 : leader;
}

}  // namespace

SessionWatch::SessionWatch(std::string folder) {
  const std::string name = session_name();
  if (!name.empty()) file_ = std::move(folder) + "/" + name;
  // A program like tmux has outlived the session in which it began.
  if (!file_.empty() && is_open(file_)) return;
  file_.clear();
  leader_ = shell_of_terminal();
  if (leader_ != 0) leader_started_ms_ = process_start_time_ms(leader_).value_or(0);
}

bool SessionWatch::has_ended() const {
  if (!file_.empty()) return !is_open(file_);
  return leader_ != 0 && !is_running(leader_, leader_started_ms_);
}

}  // namespace mayfly
