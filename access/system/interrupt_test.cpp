#include "access/system/interrupt.hpp"

#include <doctest/doctest.h>
#include <poll.h>

#include "access/testing/forked_child.hpp"

namespace mayfly {
namespace {

bool readable(int fd) {
  pollfd watched{fd, POLLIN, 0};
  return ::poll(&watched, 1, 0) == 1;
}

TEST_SUITE("core/interrupt") {
  TEST_CASE("without handlers there is nothing to watch") {
    testing::ForkedChild child([](const testing::Line&) {
      return interrupt_descriptor() == -1 && interrupted_by() == 0 ? 0 : 1;
    });
    CHECK(child.exit_code() == 0);
  }

  TEST_CASE("the first signal is remembered and keeps the descriptor readable") {
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      testing::ForkedChild child([number](const testing::Line&) {
        for (const int usual : {SIGINT, SIGTERM, SIGHUP}) ::signal(usual, SIG_DFL);
        catch_interrupts();
        if (interrupted_by() != 0 || readable(interrupt_descriptor())) return 1;
        ::raise(number);
        if (interrupted_by() != number || !readable(interrupt_descriptor())) return 2;
        ::raise(SIGTERM);
        return interrupted_by() == number && readable(interrupt_descriptor()) ? 0 : 3;
      });
      CHECK(child.exit_code() == 0);
    }
  }

  TEST_CASE("a signal that was ignored before stays ignored") {
    testing::ForkedChild child([](const testing::Line&) {
      ::signal(SIGHUP, SIG_IGN);  // as nohup does
      catch_interrupts();
      ::raise(SIGHUP);
      return interrupted_by() == 0 ? 0 : 1;
    });
    CHECK(child.exit_code() == 0);
  }
}

}  // namespace
}  // namespace mayfly
