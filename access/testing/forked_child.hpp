// For tests: a forked process and a line to it, one byte a message.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <utility>

#include "access/system/descriptor.hpp"

namespace mayfly::testing {

class Line {
 public:
  explicit Line(Descriptor end) : end_(std::move(end)) {}

  void tell(char message) const { ::send(end_.get(), &message, 1, MSG_NOSIGNAL); }
  // The next message; '\0' when the other end is gone or silent for a minute.
  char hear() const {
    pollfd watched{end_.get(), POLLIN, 0};
    char message = '\0';
    if (::poll(&watched, 1, 60'000) == 1 && ::recv(end_.get(), &message, 1, 0) == 1) return message;
    return '\0';
  }

 private:
  Descriptor end_;
};

// Killed and reaped at destruction. doctest's macros do not work in the child.
class ForkedChild {
 public:
  // What work returns is the exit code; 99 stands for an exception.
  explicit ForkedChild(const std::function<int(const Line&)>& work) : line_(Descriptor()) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    line_ = Line(Descriptor(ends[0]));
    Line childs(Descriptor{ends[1]});
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) ::_exit(run(work, childs));
  }
  ForkedChild(ForkedChild&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), line_(std::move(other.line_)) {}
  ForkedChild& operator=(ForkedChild&&) = delete;
  ~ForkedChild() { kill(); }

  pid_t pid() const { return pid_; }
  void tell(char message) const { line_.tell(message); }
  char hear() const { return line_.hear(); }

  // Dead when this returns, and not yet reaped: a zombie.
  void kill_unreaped() const {
    ::kill(pid_, SIGKILL);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }
  // Waits for the end; -1 when a signal brought it.
  int exit_code() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  static int run(const std::function<int(const Line&)>& work, const Line& line) noexcept {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      return work(line);
    } catch (...) {
      return 99;
    }
  }

  pid_t pid_ = -1;
  Line line_;
};

}  // namespace mayfly::testing
