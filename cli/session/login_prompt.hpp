// Leads the person at a terminal through a login, and opens the browser for it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access/identity/credentials.hpp"
#include "cli/flags/network_flags.hpp"

namespace mayfly::cli {

// Returns a prompt that writes to standard error. tells_login: whether it tells at a terminal that
// a login is complete.
LoginPrompt terminal_login_prompt(const InteractionFlags& flags, bool tells_login);

using Words = std::vector<std::string>;

// Where a window that this process opens appears, if the person at the terminal can see it.
// windows_subsystem: Linux under Windows, where the browser is a program of Windows.
enum class Desktop { none, of_this_machine, windows_subsystem };

struct DesktopFacts {
  std::string display, wayland_display;  // DISPLAY, WAYLAND_DISPLAY
  std::string ssh_connection;            // SSH_CONNECTION, set in a session from another machine
  std::string wsl_distribution;          // WSL_DISTRO_NAME
  std::string kernel;                    // the release that uname(2) returns
};
Desktop judge_desktop(const DesktopFacts& facts);
// Judges the environment of this process.
Desktop desktop_of_this_process();

// Returns the commands to try in this order. preferred: $BROWSER, which comes first: alternatives
// between colons, words between spaces, %s for the URL.
std::vector<Words> browser_commands(const std::string& url, std::string_view preferred,
                                    Desktop desktop);

// Runs the browser commands until one works. Returns false if none does. The browser's output is
// discarded, since standard output may carry a tunnel.
bool open_in_browser(const std::string& url);

}  // namespace mayfly::cli
