#include "cli/login_prompt.hpp"

#include <fmt/format.h>

#include "access/core/text.hpp"
#include "cli/browser.hpp"
#include "cli/message.hpp"

namespace mayfly::cli {
namespace {

// Login URLs hold two more URLs; a line break or escape in one would still be shown as \xNN.
constexpr std::size_t longest_url = 16384;

void show_opened(std::string_view url) {
  print_notice(fmt::format(
      "A browser window should have opened at the following URL:\n\n{}\n\n"
      "If the browser failed to open, please visit the URL above directly in your browser.\n",
      url));
}

void show_to_open(std::string_view url) {
  print_notice(
      fmt::format("Please open the following URL and log in with your Cloudflare account:\n\n{}\n\n"
                  "Leave mayfly running to download the token automatically.\n",
                  url));
}

void show_other_login(long pid, std::string_view url) {
  print_notice(
      fmt::format("Another process (pid {}) is already waiting for this login.\n\n"
                  "If no browser window opened, please visit the following URL:\n\n{}\n\n",
                  pid, printable(url, longest_url)));
}

}  // namespace

LoginPrompt terminal_login_prompt(const NetworkFlags& flags) {
  LoginPrompt prompt;
  prompt.show = [no_browser = flags.no_browser](const std::string& url) {
    const std::string shown = printable(url, longest_url);
    if (!no_browser && open_in_browser(url)) {
      show_opened(shown);
    } else {
      show_to_open(shown);
    }
  };
  prompt.other_login = show_other_login;
  return prompt;
}

}  // namespace mayfly::cli
