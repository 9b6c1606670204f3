#include "access/system/interrupt.hpp"

#include <signal.h>
#include <time.h>

#include <atomic>
#include <cerrno>

#include "access/system/signal_pipe.hpp"

namespace mayfly {
namespace {

std::atomic<int> signal_number{0};
SignalPipe woken;

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
    woken.notify();
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
  if (woken.is_open()) return;
  woken.open();
  install();
}

void catch_interrupts_anew() {
  woken.close();
  signal_number = 0;
  catch_interrupts();
}

int interrupt_descriptor() noexcept {
  return woken.descriptor();
}

int interrupted_by() noexcept {
  return signal_number;
}

}  // namespace mayfly
