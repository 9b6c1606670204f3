// Where a window would be seen.
#include <doctest/doctest.h>

#include "cli/session/login_prompt.hpp"

using namespace mayfly::cli;

namespace {

DesktopFacts at_screen(const std::string& display) {
  return {.display = display,
          .wayland_display = {},
          .ssh_connection = {},
          .wsl_distribution = {},
          .kernel = "6.1.0-28-amd64"};
}

DesktopFacts from_elsewhere(const std::string& display) {
  DesktopFacts facts = at_screen(display);
  facts.ssh_connection = "192.0.2.7 50022 192.0.2.1 22";
  return facts;
}

}  // namespace

TEST_CASE("desktop: a screen of this machine") {
  CHECK(judge_desktop(at_screen("")) == Desktop::none);
  CHECK(judge_desktop(at_screen(":0")) == Desktop::of_this_machine);
  DesktopFacts wayland = at_screen("");
  wayland.wayland_display = "wayland-0";
  CHECK(judge_desktop(wayland) == Desktop::of_this_machine);
}

TEST_CASE("desktop: over ssh only a forwarded display is in front of the person") {
  CHECK(judge_desktop(from_elsewhere("")) == Desktop::none);
  CHECK(judge_desktop(from_elsewhere(":0")) == Desktop::none);
  CHECK(judge_desktop(from_elsewhere("unix:0")) == Desktop::none);
  CHECK(judge_desktop(from_elsewhere("/tmp/.X11-unix/X0")) == Desktop::none);
  CHECK(judge_desktop(from_elsewhere("localhost:10.0")) == Desktop::of_this_machine);
  DesktopFacts wayland = from_elsewhere("");
  wayland.wayland_display = "wayland-0";
  CHECK(judge_desktop(wayland) == Desktop::none);
}

// The releases are those that WSL 1 and 2 have on Windows 10 and 11.
TEST_CASE("desktop: Linux under Windows") {
  for (const char* kernel : {"4.4.0-19041-Microsoft", "5.15.153.1-microsoft-standard-WSL2"}) {
    DesktopFacts facts = at_screen("");
    facts.kernel = kernel;
    CHECK(judge_desktop(facts) == Desktop::windows_subsystem);
    facts.ssh_connection = "192.0.2.7 50022 192.0.2.1 22";
    CHECK(judge_desktop(facts) == Desktop::none);
  }
  DesktopFacts named = at_screen(":0");
  named.wsl_distribution = "Debian";
  CHECK(judge_desktop(named) == Desktop::windows_subsystem);
}
