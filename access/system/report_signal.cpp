#include "access/system/report_signal.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "access/core/error.hpp"

namespace mayfly {
namespace {

int pipe_ends[2] = {-1, -1};

// A full pipe says enough.
void on_signal(int) {
  const int saved = errno;
  [[maybe_unused]] const auto written = ::write(pipe_ends[1], "?", 1);
  errno = saved;
}

}  // namespace

void catch_report_signal() {
  if (pipe_ends[0] >= 0) return;
  if (::pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0)
    throw system_error("cannot make a pipe", errno);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;  // nothing is to be interrupted
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGUSR1, &action, nullptr);
}

int report_descriptor() noexcept {
  return pipe_ends[0];
}

bool take_report_request() noexcept {
  bool asked = false;
  char drained[64];
  while (pipe_ends[0] >= 0 && ::read(pipe_ends[0], drained, sizeof drained) > 0) asked = true;
  return asked;
}

}  // namespace mayfly
