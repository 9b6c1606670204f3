#include "cli/terminal/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/environment.hpp"

namespace mayfly::cli {

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

}  // namespace mayfly::cli
