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

}  // namespace

void print_error(const Error& error) {
  std::string text = fmt::format("mayfly: error: {}\n", error.message());
  if (!error.hint().empty()) text += fmt::format("hint: {}\n", error.hint());
  print_notice(text);
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
