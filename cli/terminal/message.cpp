#include "cli/terminal/message.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "access/system/descriptor.hpp"
#include "cli/environment.hpp"
#include "cli/terminal/terminal.hpp"

namespace mayfly::cli {
namespace {

constexpr std::string_view erased_line = "\r\x1b[K";

// A child that a listener forks for a login shares the terminal with its messages.
const pid_t original_process = ::getpid();

// What stands in the terminal's last line, and has to make room for whatever else is written.
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
      return "run: mayfly access login URL";
    case ErrorKind::refused:
      return "ask the administrator of the application";
    case ErrorKind::network:
      return "check the network connection and try again";
    case ErrorKind::protocol:
      return "something may be answering in Access's place; if it goes on, show this to the "
             "administrator";
    case ErrorKind::failed:
      break;  // the local system's no, mostly, of which a log tells no more
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

// One write for each message: several processes share a terminal.
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
  // In the last column some terminals go on to the next line.
  text = text.substr(0, static_cast<std::size_t>(terminal->columns - 1));
  if (text == progress()) return;
  progress() = text;
  write_all(STDERR_FILENO, fmt::format("\r{}\x1b[K", text));
}

void print_product(std::string_view text) {
  // It may go to the same terminal.
  if (!progress().empty()) ProgressLine().show("");
  if (write_all(STDOUT_FILENO, text)) return;
  if (errno == EPIPE) throw OutputClosed();
  throw system_error("cannot write to standard output", errno);
}

}  // namespace mayfly::cli
