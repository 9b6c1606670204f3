#include "access/system/child_output.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <cstdlib>
#include <thread>

#include "access/system/lock.hpp"
#include "access/system/platform.hpp"

using namespace mayfly;
using namespace std::chrono_literals;
using How = ChildOutput::How;

namespace {

ChildOutput shell(const std::string& command, std::chrono::milliseconds patience = 60s) {
  return run_child({.words = {"sh", "-c", command}, .patience = patience});
}

}  // namespace

TEST_CASE("what a program printed, and how it ended") {
  const ChildOutput output = shell("echo one; echo two >&2; exit 3");
  CHECK(output.how == How::exited);
  CHECK(output.exit_code == 3);
  CHECK(output.out == "one\n");
  CHECK(output.err == "two\n");
  CHECK(shell("kill -TERM $$").how == How::killed);
}

TEST_CASE("a program that is not there") {
  CHECK(run_child({.words = {"no-such-program-of-mayfly"}}).how == How::not_found);
  CHECK(run_child({.words = {"/nonexistent/program"}}).how == How::not_found);
  CHECK(run_child({.words = {"/etc/passwd"}}).how == How::not_found);
}

TEST_CASE("its environment is ours with the changes") {
  ::setenv("MAYFLY_TEST_ONE", "ours", 1);
  ::setenv("MAYFLY_TEST_TWO", "ours", 1);
  const ChildOutput output =
      run_child({.words = {"sh", "-c", "echo $MAYFLY_TEST_ONE $MAYFLY_TEST_TWO"},
                 .variables = {{"MAYFLY_TEST_TWO", "changed"}},
                 .patience = 60s});
  CHECK(output.out == "ours changed\n");
}

TEST_CASE("more than fits a pipe, and more than is kept") {
  CHECK(shell("head -c 200000 /dev/zero").out.size() == 200000);
  CHECK(shell("head -c 2000000 /dev/zero").out.size() == 256 * 1024);
}

TEST_CASE("it has no terminal and no input, and dies of a closed pipe") {
  CHECK(shell("cat; true < /dev/tty || echo none").out == "none\n");
  ::signal(SIGPIPE, SIG_IGN);
  CHECK(shell("yes | true; echo ok").out == "ok\n");
}

TEST_CASE("a signal that we ignore is as usual for it") {
  ::signal(SIGUSR1, SIG_IGN);
  CHECK(shell("kill -s USR1 $$; echo ignored").out.empty());
}

TEST_CASE("what is left of it is killed") {
  const ChildOutput late = shell("echo begun; sleep 1000", 200ms);
  CHECK(late.how == How::timed_out);
  // A child that keeps the pipes holds nothing up.
  const ChildOutput left = shell("sleep 1000 & echo $!");
  CHECK(left.how == How::exited);
  while (process_start_time_ms(std::atol(left.out.c_str()))) std::this_thread::sleep_for(1ms);
}
