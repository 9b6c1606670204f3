#include "cli/terminal/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/environment.hpp"

namespace mayfly::cli {

std::optional<Terminal> message_terminal() {
  if (::isatty(STDERR_FILENO) != 1) return std::nullopt;
  Terminal terminal;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    terminal.columns = size.ws_col;
    terminal.lines = size.ws_row;
  }
  const std::string name = variable("TERM");
  if (!name.empty() && name != "dumb") terminal.kind = Terminal::Kind::capable;
  return terminal;
}

}  // namespace mayfly::cli
