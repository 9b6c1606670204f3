// The ssh that runs this process as its ProxyCommand or Match exec, and what its arguments want.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace mayfly::cli {

enum class SshPurpose {
  unknown,  // no ssh, or the system cannot tell
  connect,
  batch,     // BatchMode: no person answers
  no_login,  // -G prints the configuration, -O asks a running master: neither connects
};

// Judges the arguments of an ssh, without its configuration files (ssh(1), ssh_config(5)).
SshPurpose judge_ssh(const std::vector<std::string>& words);

// Returns whether the arguments name the user at the server: -l NAME, or -o User=NAME.
bool names_user(const std::vector<std::string>& words);

// Judges the ssh among the ancestors of this process. An outer one counts, too: ssh runs another
// ssh for each host of ProxyJump, and hands on no option.
SshPurpose calling_ssh();

// Returns whether the arguments of an ssh leave ControlMaster and ControlPath to its configuration.
bool leaves_multiplexing(const std::vector<std::string>& words);

// The ssh that is the nearest of the ancestors of this process.
struct CallingSsh {
  long pid = 0;
  std::vector<std::string> words;
};
// Returns nullopt if there is none, or if the system cannot tell.
std::optional<CallingSsh> nearest_ssh();

// Returns why this process, which ssh or a script has started, must not begin a login in a browser:
// for BatchMode, and if nobody would see it (no terminal, no display, no BROWSER). is_told:
// --no-browser or --qr asks for the URL all the same. Returns "" if it may.
enum class ToldToShow { yes, no };
std::string objection_to_browser(ToldToShow told);

}  // namespace mayfly::cli
