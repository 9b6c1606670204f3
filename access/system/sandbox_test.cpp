#include "access/system/sandbox.hpp"

#include <doctest/doctest.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>

#include "access/testing/forked_child.hpp"
#include "access/testing/sandbox_attempts.hpp"
#include "access/testing/scratch_directory.hpp"

namespace mayfly {
namespace {

using testing::Attempt, testing::attempts, testing::outcome;
using testing::ForkedChild;
using testing::it_worked, testing::refused, testing::failed_otherwise, testing::not_confined;
using testing::Line;
using testing::ScratchDirectory;

int confined(const std::function<int()>& attempt) {
  return ForkedChild([&](const Line&) {
           return confine_to_open_descriptors().is_whole() ? attempt() : not_confined;
         })
      .exit_code();
}

int pass_bytes(int from, int to) {
  char byte = 'x';
  iovec piece{&byte, 1};
  if (::write(to, &byte, 1) != 1 || ::read(from, &byte, 1) != 1) return failed_otherwise;
  if (::writev(to, &piece, 1) != 1 || ::readv(from, &piece, 1) != 1) return failed_otherwise;
  if (::send(to, &byte, 1, MSG_NOSIGNAL) != 1 || ::recv(from, &byte, 1, 0) != 1)
    return failed_otherwise;
  return it_worked;
}

int wait_for_time(int epoll, int timer) {
  const itimerspec soon{{}, {0, 1'000'000}};
  epoll_event event{EPOLLIN, {}};
  if (::timerfd_settime(timer, 0, &soon, nullptr) != 0) return failed_otherwise;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) != 0) return failed_otherwise;
  return ::epoll_wait(epoll, &event, 1, 60'000) == 1 ? it_worked : failed_otherwise;
}

TEST_SUITE("core/sandbox" * doctest::skip(!testing::sandbox_is_possible())) {
  TEST_CASE("nothing new can be opened, started or connected") {
    for (const Attempt& attempt : attempts) {
      CAPTURE(attempt.what);
      const auto attempted = [&] { return outcome(attempt.call()); };
      CHECK(confined(attempted) == refused);
      if (attempt.elsewhere == Attempt::Elsewhere::perhaps_refused) continue;
      CHECK(ForkedChild([&](const Line&) { return attempted(); }).exit_code() != refused);
    }
  }

  TEST_CASE("calls of another architecture's table end the process") {
#if defined(__x86_64__)
    // int 0x80 is the 32-bit table: its number 20 is getpid. Where the kernel lacks it, it faults.
    CHECK(confined([] {
            long number = 20;
            asm volatile("int $0x80" : "+a"(number)::"memory");
            return it_worked;
          }) == -1);
    constexpr long x32 = 0x40000000;
    CHECK(confined([] { return outcome(::syscall(x32 + SYS_read, -1, nullptr, 0)); }) == refused);
#endif
  }

  TEST_CASE("bytes go through what is open") {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const Descriptor from(ends[0]), to(ends[1]);
    CHECK(confined([&] { return pass_bytes(from.get(), to.get()); }) == it_worked);
    CHECK(confined([&] {
            int waiting = 0;
            return outcome(::ioctl(to.get(), SIOCOUTQ, &waiting));
          }) == it_worked);
    CHECK(confined([&] { return outcome(::shutdown(to.get(), SHUT_RDWR)); }) == it_worked);
  }

  TEST_CASE("waiting, timers and memory work") {
    const Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
    const Descriptor timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    CHECK(confined([&] { return wait_for_time(epoll.get(), timer.get()); }) == it_worked);
    CHECK(confined([] { return outcome(::poll(nullptr, 0, 1)); }) == it_worked);
    CHECK(confined([] {
            std::string text(10'000'000, 'x');
            text.resize(20'000'000, 'y');
            return text.back() == 'y' ? it_worked : failed_otherwise;
          }) == it_worked);
  }

  TEST_CASE("signals are still handled, and an exception ends as ever") {
    CHECK(confined([] {
            static volatile sig_atomic_t seen = 0;
            ::signal(SIGALRM, [](int) { seen = 1; });
            ::signal(SIGALRM, SIG_IGN);
            return seen == 0 ? it_worked : failed_otherwise;
          }) == it_worked);
    CHECK(confined([]() -> int { throw 1; }) == 99);
  }

  TEST_CASE("an open file can be written and not opened again") {
    const ScratchDirectory scratch;
    const std::string path = scratch / "log";
    const Descriptor log(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    CHECK(confined([&] { return outcome(::write(log.get(), "line\n", 5)); }) == it_worked);
    CHECK(confined([&] { return outcome(::open(path.c_str(), O_WRONLY)); }) == refused);
    CHECK(testing::content_of(path) == "line\n");
  }

  TEST_CASE("the kernel says so") {
    CHECK(ForkedChild([](const Line&) {
            std::ifstream status("/proc/self/status");  // opened before
            confine_to_open_descriptors();
            std::string seccomp, privileges;
            for (std::string text; std::getline(status, text);) {
              if (text.starts_with("Seccomp:\t")) seccomp = text.substr(9);
              if (text.starts_with("NoNewPrivs:\t")) privileges = text.substr(12);
            }
            return seccomp == "2" && privileges == "1" ? it_worked : failed_otherwise;
          }).exit_code() == it_worked);
  }

  TEST_CASE("a thread that runs already is held back too") {
    CHECK(ForkedChild([](const Line&) {
            std::atomic<int> stage = 0;
            int result = failed_otherwise;
            std::thread other([&] {
              stage = 1;
              stage.notify_all();
              stage.wait(1);
              result = outcome(::open("/dev/null", O_RDONLY));
            });
            stage.wait(0);
            confine_to_open_descriptors();
            stage = 2;
            stage.notify_all();
            other.join();
            return result;
          }).exit_code() == refused);
  }

  TEST_CASE("what is missing is named") {
    CHECK(Confinement{}.text() == "system calls held back, files held back");
    CHECK(Confinement{ENOSYS, 0}.text() ==
          "system calls not held back (Function not implemented), files held back");
    CHECK(Confinement{0, EOPNOTSUPP}.text() ==
          "system calls held back, files not held back (Operation not supported)");
    CHECK_FALSE(Confinement{0, ENOSYS}.is_whole());
  }
}

}  // namespace
}  // namespace mayfly
