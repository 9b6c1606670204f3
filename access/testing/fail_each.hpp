// Support for tests of faults: a run for each operation and each way in which it can fail.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <string>

#include "access/system/ignored_signal.hpp"
#include "access/testing/faults.hpp"

namespace mayfly::testing {

constexpr Fault all_faults[] = {Fault::reset, Fault::timed_out,   Fault::end,
                                Fault::stall, Fault::short_piece, Fault::interrupted};

// Returns bytes that differ by position, so that a wrong order shows.
inline std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i % 23);
  return bytes;
}

// How long to wait: long enough for a busy machine, but after a stall only a moment.
inline std::chrono::milliseconds patience(Fault fault) {
  return fault == Fault::stall ? std::chrono::milliseconds(40) : std::chrono::seconds(10);
}

// Calls run(fault, n) so that the n-th operation fails, for each n, and run(fault, 0) without a
// fault. run() returns the number of operations, or 0 if it could not inject the fault.
inline void fail_each(const std::function<int(Fault, int)>& run) {
  const IgnoredSignal no_sigpipe(SIGPIPE);
  int runs = 0;
  for (const Fault fault : all_faults) {
    const std::string name = name_of(fault);
    CAPTURE(name);
    const int count = run(fault, 0);
    REQUIRE(count > 3);
    for (int at = 1; at <= count; ++at) {
      CAPTURE(at);
      if (run(fault, at) > 0) ++runs;
    }
  }
  MESSAGE("faults injected: ", runs);
}

}  // namespace mayfly::testing
