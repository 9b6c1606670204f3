#include "cli/terminal/message.hpp"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>

#include "access/system/descriptor.hpp"
#include "cli/terminal/environment.hpp"

namespace mayfly::cli {
namespace {

constexpr std::string_view erased_line = "\r\x1b[K";

// The login process of a listener shares the terminal, and shows no progress.
const pid_t original_process = ::getpid();

// The text in the terminal's last line, which makes room for every message.
std::string& progress() {
  static std::string text;
  return text;
}

}  // namespace

std::string_view general_hint(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return "run: mayfly --help";
    case ErrorKind::login_needed:
      return "log in, and run this command again; mayfly login shows the page";
    case ErrorKind::refused:
      return "ask the administrator of the application";
    case ErrorKind::network:
      return "check the network connection and try again";
    case ErrorKind::protocol:
      return "something may be answering in Access's place; if it goes on, show this to the "
             "administrator";
    case ErrorKind::failed:
      break;  // mostly a refusal of the local system, of which a log tells no more
  }
  return {};
}

void print_error(const Error& error) {
  const std::string_view hint = error.hint().empty() ? general_hint(error.kind()) : error.hint();
  std::string text = fmt::format("mayfly: error: {}\n", error.message());
  if (!hint.empty()) text += fmt::format("hint: {}\n", as_called(std::string(hint)));
  print_notice(text);
}

void print_warning(std::string_view text) {
  print_notice(fmt::format("mayfly: warning: {}\n", text));
}

// Writes once for each message, since several processes share a terminal.
void print_notice(std::string_view text) {
  if (progress().empty()) {
    write_all(STDERR_FILENO, text);
    return;
  }
  const std::string_view below = text.ends_with('\n') ? std::string_view(progress()) : "";
  write_all(STDERR_FILENO, fmt::format("{}{}{}", erased_line, text, below));
  if (below.empty()) progress().clear();
}

void ProgressLine::show(std::string_view text) {
  if (::getpid() != original_process) return;
  const auto terminal = message_terminal();
  if (!terminal || terminal->kind == Terminal::Kind::dumb) return;
  // Some terminals break the line at its last column.
  text = text.substr(0, static_cast<std::size_t>(terminal->columns - 1));
  if (text == progress()) return;
  progress() = text;
  write_all(STDERR_FILENO, fmt::format("\r{}\x1b[K", text));
}

void ProgressLine::show_waiting(std::string_view host, std::chrono::seconds waited) {
  if (waited >= std::chrono::seconds(2))
    show(fmt::format("waiting for {} ({} s)", host, waited.count()));
}

void print_result(std::string_view text) {
  // Standard output may lead to the same terminal.
  if (!progress().empty()) ProgressLine().show("");
  if (write_all(STDOUT_FILENO, text)) return;
  if (errno == EPIPE) throw OutputClosed();
  throw system_error("cannot write to standard output", errno);
}

Terminal::Kind terminal_kind() {
  const std::string name = variable("TERM");
  return name.empty() || name == "dumb" ? Terminal::Kind::dumb : Terminal::Kind::capable;
}

std::optional<Terminal> message_terminal() {
  if (::isatty(STDERR_FILENO) != 1) return std::nullopt;
  Terminal terminal;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    terminal.columns = size.ws_col;
    terminal.lines = size.ws_row;
  }
  terminal.kind = terminal_kind();
  return terminal;
}

std::string json_text(const nlohmann::ordered_json& value) {
  return value.dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace mayfly::cli
