#include "cli/message.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace mayfly::cli {
namespace {

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// What to do when the place that failed knows no better.
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
      return "run it again with -v to see each step";
  }
  return {};
}

}  // namespace

void print_error(const Error& error) {
  const std::string_view hint = error.hint().empty() ? general_hint(error.kind()) : error.hint();
  print_notice(fmt::format("mayfly: error: {}\nhint: {}\n", error.message(), hint));
}

void print_warning(std::string_view text) {
  print_notice(fmt::format("mayfly: warning: {}\n", text));
}

// One write for each message: several processes share a terminal.
void print_notice(std::string_view text) {
  write_all(STDERR_FILENO, text);
}

void print_product(std::string_view text) {
  if (!write_all(STDOUT_FILENO, text)) throw system_error("cannot write to standard output", errno);
}

}  // namespace mayfly::cli
