#include "access/system/interrupt.hpp"

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

#include "access/core/error.hpp"
#include "access/system/descriptor.hpp"

namespace mayfly {
namespace {

std::atomic<int> signal_number{0};
// A pipe rather than a signalfd: a handler also interrupts system calls that cannot watch a
// descriptor.
int pipe_ends[2] = {-1, -1};

std::atomic<time_t> first_signal_s{0};
constexpr time_t patience_s = 2;

time_t monotonic_s() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

void on_signal(int number) {
  const int saved = errno;
  int none = 0;
  if (signal_number.compare_exchange_strong(none, number)) {
    first_signal_s = monotonic_s();
    [[maybe_unused]] const auto written = ::write(pipe_ends[1], "!", 1);
  } else if (monotonic_s() - first_signal_s > patience_s) {
    // It hangs where nobody looks, in a library that opens a pipe, say.
    ::signal(number, SIG_DFL);
    ::raise(number);
  }
  errno = saved;
}

void install() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    // nohup and shells' background jobs ignore some of these on purpose.
    if (::sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    ::sigaction(number, &action, nullptr);
  }
}

}  // namespace

void catch_interrupts() {
  if (pipe_ends[0] >= 0) return;
  if (::pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0)
    throw system_error("cannot make a pipe", errno);
  install();
}

void catch_interrupts_anew() {
  for (int& end : pipe_ends) Descriptor(std::exchange(end, -1));
  signal_number = 0;
  catch_interrupts();
}

int interrupt_descriptor() noexcept {
  return pipe_ends[0];
}

int interrupted_by() noexcept {
  return signal_number;
}

}  // namespace mayfly
