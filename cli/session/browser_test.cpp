// Which commands are tried for a URL, and in which order.
#include <doctest/doctest.h>

#include "cli/session/login_prompt.hpp"

using namespace mayfly::cli;

namespace {
const std::string url = "https://vm.example.com/cdn-cgi/access/cli?aud=1&token=a%3D'";
using Commands = std::vector<Words>;
}  // namespace

TEST_CASE("browser commands: the desktop's") {
  CHECK(browser_commands(url, "", Desktop::none).empty());
  CHECK(browser_commands(url, "", Desktop::of_this_machine) == Commands{{"xdg-open", url}});
}

TEST_CASE("browser commands: Windows' own under Windows") {
  const Commands commands = browser_commands(url, "", Desktop::windows_subsystem);
  REQUIRE(commands.size() == 4);
  CHECK(commands[0] == Words{"wslview", url});
  CHECK(commands[1].front() == "powershell.exe");
  CHECK(commands[1].back() ==
        "Start-Process 'https://vm.example.com/cdn-cgi/access/cli?aud=1&token=a%3D'''");
  CHECK(commands[2] == Words{"cmd.exe", "/c", "start", "",
                             "https://vm.example.com/cdn-cgi/access/cli?aud=1^&token=a%3D'"});
  CHECK(commands[3].front() == "xdg-open");
}

TEST_CASE("browser commands: $BROWSER before all else, without a desktop too") {
  CHECK(browser_commands(url, "firefox", Desktop::of_this_machine) ==
        Commands{{"firefox", url}, {"xdg-open", url}});
  CHECK(browser_commands(url, "one --new %s:: two  -x=%s- :three %s &", Desktop::none) ==
        Commands{{"one", "--new", url}, {"two", "-x=" + url + "-"}, {"three", url}});
}
