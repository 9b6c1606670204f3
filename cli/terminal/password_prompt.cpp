#include "cli/terminal/password_prompt.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "access/core/error.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/interrupt.hpp"

namespace mayfly::cli {
namespace {

// Switches the echo off while it lives.
class SilentTerminal {
 public:
  explicit SilentTerminal(int terminal) : terminal_(terminal) {
    if (::tcgetattr(terminal_, &before_) != 0)
      throw system_error("cannot ask on the terminal", errno);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ECHONL;
    ::tcsetattr(terminal_, TCSAFLUSH, &silent);
  }
  ~SilentTerminal() { ::tcsetattr(terminal_, TCSAFLUSH, &before_); }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

 private:
  int terminal_;
  termios before_{};
};

Secret read_line(int terminal) {
  std::array<char, 1024> line{};
  std::size_t size = 0;
  while (size < line.size()) {
    std::array<pollfd, 2> watched{{{terminal, POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}}};
    ::poll(watched.data(), watched.size(), -1);
    if (interrupted_by() != 0)
      throw Error(ErrorKind::login_needed, "stopped at the password prompt");
    const ssize_t got = ::read(terminal, line.data() + size, line.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
    if (line[size - 1] == '\n') break;
  }
  const std::string_view typed(line.data(), size);
  Secret password(typed.substr(0, typed.find_first_of("\r\n")));
  wipe(line.data(), line.size());
  return password;
}

std::string prompt_for(const std::string& what) {
  const auto first = static_cast<unsigned char>(what.at(0));
  return fmt::format("{:c}{}: ", std::toupper(first), what.substr(1));
}

}  // namespace

Secret ask_password(const std::string& what) {
  const Descriptor terminal(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal) {
    throw Error(ErrorKind::login_needed, fmt::format("cannot ask for the {}: no terminal", what),
                "put it into a file and name that with --cert-password-file");
  }
  const std::string prompt = prompt_for(what);
  const SilentTerminal silent(terminal.get());
  if (::write(terminal.get(), prompt.data(), prompt.size()) < 0) {
    throw system_error("cannot ask on the terminal", errno);
  }
  return read_line(terminal.get());
}

}  // namespace mayfly::cli
