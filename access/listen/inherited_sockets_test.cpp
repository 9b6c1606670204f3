#include "access/listen/inherited_sockets.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

using namespace mayfly;

// test_supervision.py (SocketActivation) passes real sockets.
TEST_CASE("sockets of a service manager are for the process that LISTEN_PID names, and once") {
  struct Case {
    std::string pid, count;
  };
  for (const Case& one :
       {Case{"1", "1"}, Case{"", "1"}, Case{std::to_string(::getpid()), ""},
        Case{std::to_string(::getpid()), "0"}, Case{std::to_string(::getpid()), "-1"},
        Case{std::to_string(::getpid()) + "x", "1"}, Case{std::to_string(::getpid()), "1 "}}) {
    CAPTURE(one.pid);
    CAPTURE(one.count);
    ::setenv("LISTEN_PID", one.pid.c_str(), 1);
    ::setenv("LISTEN_FDS", one.count.c_str(), 1);
    ::setenv("LISTEN_FDNAMES", "http", 1);
    CHECK(inherited_sockets().empty());
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
      CHECK(std::getenv(name) == nullptr);
  }
}
