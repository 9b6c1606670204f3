#include "cli/login/login_prompt.hpp"

#include <fmt/core.h>

#include <memory>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "cli/login/browser.hpp"
#include "cli/session.hpp"
#include "cli/status/token_report.hpp"
#include "cli/terminal/message.hpp"
#include "cli/terminal/qr_drawing.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/terminal/time_text.hpp"

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

// What is not a terminal (a file, an editor's window) shows any number of lines of any width.
std::string drawing_for(const QrCode& code, const std::optional<Terminal>& terminal) {
  const QrSize size = drawn_size(code);
  if (terminal && (terminal->columns < size.columns || terminal->lines < size.lines)) {
    return fmt::format(
        "The terminal is too small for the QR code: it has {} columns and {} lines, and {} and {} "
        "are needed. Make it larger (or its letters smaller), and start again.\n",
        terminal->columns, terminal->lines, size.columns, size.lines);
  }
  const bool is_capable = terminal && terminal->kind == Terminal::Kind::capable;
  return draw(code, is_capable ? QrColours::terminal : QrColours::plain);
}

// The URL is there in any case, so that a failure is no reason to end.
void show_qr_code(const std::string& url) {
  try {
    print_notice("\n" + drawing_for(make_qr_code(url), message_terminal()));
  } catch (const Error& error) {
    print_warning(fmt::format("no QR code: {}; {}", error.message(), error.hint()));
  }
}

void tell_logged_in(const TokenClaims& claims) {
  if (message_terminal()) print_notice(logged_in_line(claims, now()) + "\n");
}

}  // namespace

LoginPrompt terminal_login_prompt(const NetworkFlags& flags) {
  LoginPrompt prompt;
  prompt.show = [no_browser = flags.no_browser, qr = flags.qr](const std::string& url) {
    const std::string shown = printable(url, longest_url);
    // Who asks for a QR code has the browser somewhere else.
    if (!no_browser && !qr && open_in_browser(url)) {
      show_opened(shown);
    } else {
      show_to_open(shown);
    }
    if (qr) show_qr_code(url);
  };
  prompt.other_login = [qr = flags.qr](long pid, std::string_view url) {
    show_other_login(pid, url);
    if (qr) show_qr_code(std::string(url));
  };
  const auto line = std::make_shared<ProgressLine>();
  prompt.waiting = [line](std::chrono::seconds left) {
    line->show(fmt::format("waiting for login ({} left), Ctrl-C to stop", countdown_text(left)));
  };
  prompt.waited = [line] { line->show(""); };
  if (flags.tells_login) prompt.logged_in = tell_logged_in;
  return prompt;
}

}  // namespace mayfly::cli
