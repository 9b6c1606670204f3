#include "access/system/report_signal.hpp"

#include <signal.h>

#include "access/system/signal_pipe.hpp"

namespace mayfly {
namespace {

SignalPipe asked;

void on_signal(int) {
  asked.notify();
}

}  // namespace

void catch_report_signal() {
  if (asked.is_open()) return;
  asked.open();
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;  // nothing is to be interrupted
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGUSR1, &action, nullptr);
}

int report_descriptor() noexcept {
  return asked.descriptor();
}

bool take_report_request() noexcept {
  return asked.take();
}

}  // namespace mayfly
