#include "cli/login/desktop.hpp"

#include <sys/utsname.h>

#include "access/core/text.hpp"
#include "cli/environment.hpp"

namespace mayfly::cli {
namespace {

// "localhost:10.0": by way of the session. ":0" and "unix:0" are this machine's own screen.
bool is_forwarded(const std::string& display) {
  const std::string host = display.substr(0, display.find(':'));
  return !host.empty() && host != "unix" && host.front() != '/';
}

std::string kernel_release() {
  utsname names{};
  return ::uname(&names) == 0 ? names.release : "";
}

}  // namespace

Desktop judge_desktop(const DesktopFacts& facts) {
  // Who came by ssh does not sit in front of this machine's screen.
  if (!facts.ssh_connection.empty()) {
    return is_forwarded(facts.display) ? Desktop::of_this_machine : Desktop::none;
  }
  if (!facts.wsl_distribution.empty() ||
      to_lower(facts.kernel).find("microsoft") != std::string::npos)
    return Desktop::windows_subsystem;
  const bool has_screen = !facts.display.empty() || !facts.wayland_display.empty();
  return has_screen ? Desktop::of_this_machine : Desktop::none;
}

Desktop this_desktop() {
  return judge_desktop({.display = variable("DISPLAY"),
                        .wayland_display = variable("WAYLAND_DISPLAY"),
                        .ssh_connection = variable("SSH_CONNECTION"),
                        .wsl_distribution = variable("WSL_DISTRO_NAME"),
                        .kernel = kernel_release()});
}

}  // namespace mayfly::cli
