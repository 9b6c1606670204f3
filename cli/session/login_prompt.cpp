#include "cli/session/login_prompt.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/interrupt.hpp"
#include "access/system/spawn_settings.hpp"
#include "cli/session/session.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/message.hpp"
#include "cli/terminal/qr_code.hpp"
#include "cli/terminal/time_text.hpp"

namespace mayfly::cli {
namespace {

// "localhost:10.0" leads through the session; ":0" and "unix:0" are this machine's own screen.
bool is_forwarded(const std::string& display) {
  const std::string host = display.substr(0, display.find(':'));
  return !host.empty() && host != "unix" && host.front() != '/';
}

std::string kernel_release() {
  utsname names{};
  return ::uname(&names) == 0 ? names.release : "";
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

Words words_of(std::string_view alternative, const std::string& url) {
  Words words;
  bool has_url = false;
  for (const std::string_view word : split(alternative, ' ')) {
    if (word.empty()) continue;
    has_url = has_url || word.find("%s") != std::string_view::npos;
    words.push_back(replaced(std::string(word), "%s", url));
  }
  if (!words.empty() && words.back() == "&") words.pop_back();  // it runs in the background anyway
  if (!words.empty() && !has_url) words.push_back(url);
  return words;
}

// No machine has all of them. PowerShell reads single quotes literally; cmd.exe ends a command at
// "&".
void add_commands_of_windows(std::vector<Words>& commands, const std::string& url) {
  commands.push_back({"wslview", url});
  commands.push_back({"powershell.exe", "-NoProfile", "-NonInteractive", "-Command",
                      "Start-Process '" + replaced(url, "'", "''") + "'"});
  commands.push_back({"cmd.exe", "/c", "start", "", replaced(url, "&", "^&")});
}

// A browser in the foreground runs as long as its window: it works if it has not failed by then.
constexpr auto time_to_fail = std::chrono::milliseconds(1500);

struct Silenced : SpawnSettings {
  Silenced() {
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
      posix_spawn_file_actions_addopen(&files, standard, "/dev/null", O_RDWR, 0);
  }
};

bool survives_or_succeeds(pid_t child) {
  const TimeLimit limit(time_to_fail);
  while (!limit.is_over() && interrupted_by() == 0) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child)
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    ::poll(nullptr, 0, 10);
  }
  return true;
}

bool run(const Words& words) {
  Silenced settings;
  pid_t child = 0;
  return settings.spawn(child, words, ChildEnvironment()) == 0 && survives_or_succeeds(child);
}

// Login URLs hold two more URLs. printable() escapes their control characters.
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
  print_notice(fmt::format("Another process (pid {}) is already waiting for this login{}{}\n", pid,
                           url.empty() ? "" : ": ", printable(url, longest_url)));
}

// Without a terminal (in a file, in an editor) lines have no limits.
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

// Only warns of a failure, since the URL is shown in any case.
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

Desktop judge_desktop(const DesktopFacts& facts) {
  // A person in a session by ssh does not see this machine's screen.
  if (!facts.ssh_connection.empty()) {
    return is_forwarded(facts.display) ? Desktop::of_this_machine : Desktop::none;
  }
  if (!facts.wsl_distribution.empty() ||
      to_lower(facts.kernel).find("microsoft") != std::string::npos)
    return Desktop::windows_subsystem;
  const bool has_screen = !facts.display.empty() || !facts.wayland_display.empty();
  return has_screen ? Desktop::of_this_machine : Desktop::none;
}

std::vector<Words> browser_commands(const std::string& url, std::string_view preferred,
                                    Desktop desktop) {
  std::vector<Words> commands;
  for (const std::string_view alternative : split(preferred, ':')) {
    if (Words words = words_of(alternative, url); !words.empty())
      commands.push_back(std::move(words));
  }
  if (desktop == Desktop::windows_subsystem) add_commands_of_windows(commands, url);
  if (desktop != Desktop::none) commands.push_back({"xdg-open", url});
  return commands;
}

Desktop desktop_of_this_process() {
  return judge_desktop({.display = variable("DISPLAY"),
                        .wayland_display = variable("WAYLAND_DISPLAY"),
                        .ssh_connection = variable("SSH_CONNECTION"),
                        .wsl_distribution = variable("WSL_DISTRO_NAME"),
                        .kernel = kernel_release()});
}

bool open_in_browser(const std::string& url) {
  const auto commands = browser_commands(url, variable("BROWSER"), desktop_of_this_process());
  return std::any_of(commands.begin(), commands.end(), run);
}

LoginPrompt terminal_login_prompt(const InteractionFlags& flags, bool tells_login) {
  LoginPrompt prompt;
  prompt.show = [no_browser = flags.no_browser, qr = flags.qr](const std::string& url) {
    const std::string shown = printable(url, longest_url);
    // With a QR code the browser is on another device.
    if (!no_browser && !qr && open_in_browser(url)) {
      show_opened(shown);
    } else {
      show_to_open(shown);
    }
    if (qr) show_qr_code(url);
  };
  prompt.show_local = [show = prompt.show](const std::string& url, const std::string& redirect) {
    show(url);
    print_notice(fmt::format("The browser has to run on this computer: the login ends at {}.\n",
                             printable(redirect)));
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
  if (tells_login) prompt.logged_in = tell_logged_in;
  return prompt;
}

}  // namespace mayfly::cli
