#include "access/system/directory_watch.hpp"

#include <doctest/doctest.h>

#include "access/system/files.hpp"
#include "access/system/interrupt.hpp"
#include "access/system/platform.hpp"
#include "access/system/temporary_file.hpp"
#include "access/testing/forked_child.hpp"
#include "access/testing/scratch_directory.hpp"

namespace mayfly {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// Far longer than anything here takes, so that a wait that ends was ended by an event.
constexpr auto for_ever = 60s;

struct Watched {
  testing::ScratchDirectory scratch;
  StateDirectory state = StateDirectory::open(scratch.path());
  DirectoryWatch watch{state.descriptor()};

  bool sleeps_full(std::chrono::milliseconds time) const {
    const auto start = steady_clock::now();
    watch.wait(time);
    return steady_clock::now() - start >= time;
  }
};

TEST_SUITE("core/directory_watch") {
  TEST_CASE("ends when a file was written, got its name or went" *
            doctest::skip(platform == Platform::portable)) {
    const Watched directory;
    testing::put(directory.scratch / "a", "as cloudflared writes");
    CHECK_FALSE(directory.sleeps_full(for_ever));
    directory.state.write("a", "as we write");
    CHECK_FALSE(directory.sleeps_full(for_ever));
    directory.state.remove("a");
    CHECK_FALSE(directory.sleeps_full(for_ever));
  }

  TEST_CASE("sleeps through temporary files, reading, and nothing at all") {
    const Watched directory;
    testing::put(directory.scratch / "a", "");
    directory.watch.wait(0ms);
    CHECK(directory.sleeps_full(50ms));
    TemporaryFile(directory.state.descriptor(), directory.state.path()).write("x");
    directory.state.read("a");
    CHECK(directory.sleeps_full(50ms));
  }

  TEST_CASE("a directory that cannot be watched only costs the time") {
    const auto start = steady_clock::now();
    DirectoryWatch(-1).wait(20ms);
    CHECK(steady_clock::now() - start >= 20ms);
  }

  TEST_CASE("ends at an interrupt") {
    const Watched directory;
    testing::ForkedChild child([&](const testing::Line& line) {
      ::signal(SIGTERM, SIG_DFL);
      catch_interrupts();
      line.tell('w');
      directory.watch.wait(for_ever);
      return interrupted_by();
    });
    REQUIRE(child.hear() == 'w');
    ::kill(child.pid(), SIGTERM);
    CHECK(child.exit_code() == SIGTERM);
  }
}

}  // namespace
}  // namespace mayfly
