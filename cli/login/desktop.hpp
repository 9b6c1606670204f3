// Whether a window that this process opens would be seen by the person at the terminal.
#pragma once

#include <string>

namespace mayfly::cli {

// windows_subsystem: Linux under Windows, where the browser is a program of Windows.
enum class Desktop { none, of_this_machine, windows_subsystem };

struct DesktopFacts {
  std::string display, wayland_display;  // DISPLAY, WAYLAND_DISPLAY
  std::string ssh_connection;            // SSH_CONNECTION: set in a session from elsewhere
  std::string wsl_distribution;          // WSL_DISTRO_NAME
  std::string kernel;                    // /proc/sys/kernel/osrelease
};

Desktop judge_desktop(const DesktopFacts& facts);
Desktop this_desktop();

}  // namespace mayfly::cli
