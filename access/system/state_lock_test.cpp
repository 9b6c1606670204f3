#include "access/system/state_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "access/core/error.hpp"
#include "access/system/interrupt.hpp"
#include "access/testing/forked_child.hpp"
#include "access/testing/scratch_directory.hpp"

namespace mayfly {
namespace {

using namespace std::chrono_literals;
using testing::ForkedChild;
using testing::Line;

constexpr uid_t nobody = 65534;

struct Directory {
  testing::ScratchDirectory scratch;
  StateDirectory state = StateDirectory::open(scratch.path());
  std::string file = scratch / StateLock::file;

  // Returns the error of an attempt that waits no longer than `patience`, or nothing.
  std::optional<Error> refusal(std::chrono::milliseconds patience = 0ms) const try {
    const StateLock lock(state, patience);
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  }
  // Returns whether flock(2) of util-linux, another program, can have the lock at once.
  bool is_free_for_others() const {
    return std::system(("flock --nonblock " + file + " true").c_str()) == 0;
  }
};

// Takes the lock, says 'l', and gives it back when it hears something; then says 'u'.
ForkedChild holder_of(const Directory& directory) {
  return ForkedChild([&directory](const Line& line) {
    {
      const StateLock lock(directory.state, 20s);
      line.tell('l');
      line.hear();
    }
    line.tell('u');
    return line.hear() == 'x' ? 0 : 1;
  });
}

bool says_who_holds_it(const std::optional<Error>& error, const Directory& directory) {
  return error && error->kind() == ErrorKind::failed &&
         error->message() == "another process has held " + directory.file + " for too long" &&
         !error->hint().empty();
}

TEST_SUITE("system/state_lock") {
  TEST_CASE(
      "the lock of the state directory is held while it lives, and by one process at a time") {
    const Directory directory;
    {
      const StateLock lock(directory.state);
      CHECK_FALSE(directory.is_free_for_others());
      CHECK(says_who_holds_it(directory.refusal(), directory));
    }
    CHECK(directory.is_free_for_others());
    CHECK(testing::is_there(directory.file));
    CHECK_FALSE(directory.refusal());
  }

  TEST_CASE("the lock of the state directory is free when its holder gives it back or is killed") {
    const Directory directory;
    for (const bool is_killed : {false, true}) {
      ForkedChild holder = holder_of(directory);
      REQUIRE(holder.hear() == 'l');
      CHECK(directory.refusal());
      ForkedChild waiter = holder_of(directory);
      if (is_killed) {
        holder.kill();
      } else {
        holder.tell('-');
        CHECK(holder.hear() == 'u');
      }
      CHECK(waiter.hear() == 'l');
    }
  }

  TEST_CASE("a process that holds the lock of the state directory for ever is waited for in vain") {
    const Directory directory;
    ForkedChild holder = holder_of(directory);
    REQUIRE(holder.hear() == 'l');
    const auto start = std::chrono::steady_clock::now();
    CHECK(says_who_holds_it(directory.refusal(100ms), directory));
    CHECK(std::chrono::steady_clock::now() - start >= 100ms);
  }

  TEST_CASE("a wait for the lock of the state directory ends at an interruption") {
    const Directory directory;
    ForkedChild holder = holder_of(directory);
    REQUIRE(holder.hear() == 'l');
    ForkedChild waiter([&directory](const Line& line) {
      ::signal(SIGTERM, SIG_DFL);
      catch_interrupts();
      line.tell('w');
      const auto error = directory.refusal(60s);
      return error && error->message() == "interrupted" ? 0 : 1;
    });
    REQUIRE(waiter.hear() == 'w');
    ::kill(waiter.pid(), SIGTERM);
    CHECK(waiter.exit_code() == 0);
  }

  TEST_CASE("a lock of somebody else on the state directory itself holds nobody up") {
    const Directory directory;
    const Descriptor other(::open(directory.scratch.path().c_str(), O_RDONLY | O_DIRECTORY));
    REQUIRE(::flock(other.get(), LOCK_EX) == 0);
    CHECK_FALSE(directory.refusal());
  }

  TEST_CASE("no other user can open the lock of the state directory") {
    const Directory directory;
    SUBCASE("a new file, whatever the umask") {
      const testing::Umask umask(0);
      CHECK_FALSE(directory.refusal());
    }
    SUBCASE("a file that was there") {
      testing::put(directory.file, "");
      REQUIRE(::chmod(directory.file.c_str(), 0666) == 0);
      CHECK_FALSE(directory.refusal());
    }
    CHECK(testing::mode_of(directory.file) == 0600);
  }

  TEST_CASE("a lock of the state directory that is no regular file of the user is refused") {
    const Directory directory;
    const auto is_refused = [&] {
      const auto error = directory.refusal(60s);
      return error && error->message().find(directory.file) != std::string::npos;
    };
    SUBCASE("a link") {
      const std::string target = directory.scratch / "target";
      testing::put(target, "");
      REQUIRE(::symlink(target.c_str(), directory.file.c_str()) == 0);
    }
    SUBCASE("a directory") {
      REQUIRE(::mkdir(directory.file.c_str(), 0700) == 0);
    }
    SUBCASE("a pipe to which nobody writes") {
      REQUIRE(::mkfifo(directory.file.c_str(), 0600) == 0);
    }
    SUBCASE("a file of another user") {
      testing::put(directory.file, "");
      if (::geteuid() != 0) return;  // only root can give a file away
      REQUIRE(::chown(directory.file.c_str(), nobody, nobody) == 0);
    }
    CHECK(is_refused());
  }

  TEST_CASE("no lock is taken where the state directory is absent or cannot be written") {
    const auto none = StateDirectory::none(Error(ErrorKind::failed, "it is not there"));
    CHECK_NOTHROW(StateLock(none, 0ms));
    const Directory directory;
    REQUIRE(::chmod(directory.scratch.path().c_str(), 0500) == 0);
    if (::geteuid() == 0) REQUIRE(::chown(directory.scratch.path().c_str(), nobody, nobody) == 0);
    ForkedChild child([&directory](const Line&) {
      if (::geteuid() == 0 && ::setuid(nobody) != 0) return 2;
      return directory.refusal() ? 1 : 0;
    });
    CHECK(child.exit_code() == 0);
    CHECK_FALSE(testing::is_there(directory.file));
    REQUIRE(::chmod(directory.scratch.path().c_str(), 0700) == 0);
  }
}

}  // namespace
}  // namespace mayfly
