#include "access/system/bounded_flock.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>

#include "access/core/error.hpp"
#include "access/testing/scratch_directory.hpp"

namespace mayfly {
namespace {

using std::chrono::milliseconds;

Descriptor opened(const std::string& path) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

TEST_SUITE("system/bounded_flock") {
  TEST_CASE("a lock on a file or a directory excludes others until its descriptor is closed") {
    const testing::ScratchDirectory scratch;
    testing::put(scratch / "file", "");
    for (const std::string& path : {scratch.path(), scratch / "file"}) {
      CAPTURE(path);
      Descriptor ours = opened(path);
      const Descriptor others = opened(path);
      CHECK(lock_exclusively(ours, path) == Flock::held);
      CHECK(::flock(others.get(), LOCK_EX | LOCK_NB) == -1);
      ours = Descriptor();
      CHECK(::flock(others.get(), LOCK_EX | LOCK_NB) == 0);
    }
  }

  TEST_CASE("a lock that another process keeps is given up, with its path and what to do") {
    const testing::ScratchDirectory scratch;
    const Descriptor ours = opened(scratch.path()), others = opened(scratch.path());
    REQUIRE(::flock(others.get(), LOCK_SH) == 0);
    try {
      lock_exclusively(ours, "/home/x/a\nb", milliseconds(20));
      FAIL("it has the lock");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::failed);
      CHECK(error.message() == "another process has held /home/x/a\\x0ab for too long");
      CHECK(error.hint().find("fuser /home/x/a\\x0ab") != std::string::npos);
    }
  }

  TEST_CASE("a file that cannot be locked is said to be so, without a wait") {
    const Descriptor closed(-1);
    CHECK(lock_exclusively(closed, "nothing", std::chrono::hours(1)) == Flock::unsupported);
  }
}

}  // namespace
}  // namespace mayfly
