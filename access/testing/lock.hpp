// A state directory with a login's lock in it, and processes that want that lock.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "access/core/error.hpp"
#include "access/system/lock.hpp"
#include "access/system/platform.hpp"
#include "access/testing/forked_child.hpp"
#include "access/testing/scratch_directory.hpp"

namespace mayfly::lock_test {

using namespace std::chrono_literals;
using std::chrono::system_clock;
using testing::content_of;
using testing::ForkedChild;
using testing::is_there;
using testing::Line;
using testing::put;
using Names = std::vector<std::string>;

inline constexpr auto base = "vm.example.com-0a1b-token";

struct Directory {
  testing::ScratchDirectory scratch;
  StateDirectory state = StateDirectory::open(scratch.path());
  std::string lock = scratch / (std::string(base) + ".lock");
  std::string url = scratch / (std::string(base) + ".url");

  std::optional<LoginLock> wait(const LockWait& how = {}) const {
    return wait_for_login_lock(state, base, how);
  }
  // Whether the lock can be had without waiting; it is given back.
  bool is_free() const {
    try {
      return wait({.timeout = 0ms}).has_value();
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::login_needed);
      return false;
    }
  }
  void age_lock(std::chrono::seconds by) const {
    const timespec then{system_clock::to_time_t(system_clock::now() - by), 0};
    const timespec times[] = {then, then};
    REQUIRE(::utimensat(AT_FDCWD, lock.c_str(), times, 0) == 0);
  }
};

// Returns the process number for a lock without a holder and with the start time 1: of this
// process, which started at another time, or of an ended process if the system tells no start
// times.
inline long pid_without_lock() {
  if (platform == Platform::linux_kernel) return ::getpid();
  ForkedChild ended([](const Line&) { return 0; });
  const long pid = ended.pid();
  REQUIRE(ended.exit_code() == 0);
  return pid;
}

// A wait that says 'w' once it waits for somebody.
inline LockWait telling(const Line& line) {
  return {.satisfied =
              [&line, told = std::make_shared<bool>(false)] {
                if (!std::exchange(*told, true)) line.tell('w');
                return false;
              },
          .timeout = 20s};
}

// Gets the lock, says 'g', and holds it until it hears something; then it lives on until it hears
// again.
inline ForkedChild holder_of(const Directory& directory) {
  return ForkedChild([&directory](const Line& line) {
    auto lock = directory.wait(telling(line));
    line.tell('g');
    line.hear();
    lock.reset();
    line.tell('r');
    return line.hear() == 'x' ? 0 : 1;
  });
}

inline ForkedChild bystander() {
  return ForkedChild([](const Line& line) { return static_cast<int>(line.hear()); });
}

// As cloudflared 2026.8.2 computes it: btime * 1000 + starttime * 1000 / USER_HZ.
inline long long cloudflared_start_time(pid_t pid) {
  long long boot = -1, ticks = -1;
  std::ifstream stat("/proc/stat");
  for (std::string word; stat >> word;) {
    if (word == "btime") stat >> boot;
  }
  const std::string fields = content_of(fmt::format("/proc/{}/stat", pid));
  std::sscanf(fields.c_str() + fields.rfind(')') + 1,
              " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld",
              &ticks);
  return boot * 1000 + ticks * 1000 / ::sysconf(_SC_CLK_TCK);
}

// As Go's encoder writes it, without flock.
inline std::string cloudflared_lock(pid_t pid, long long start_time) {
  return fmt::format("{{\"pid\":{},\"start_time\":{}}}\n", pid, start_time);
}

}  // namespace mayfly::lock_test
