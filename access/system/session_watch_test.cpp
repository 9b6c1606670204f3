#include "access/system/session_watch.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "access/testing/scratch_directory.hpp"

using namespace mayfly;
using namespace mayfly::testing;

namespace {

// XDG_SESSION_ID has a value while it lives.
class SessionName {
 public:
  explicit SessionName(const char* value) { ::setenv("XDG_SESSION_ID", value, 1); }
  ~SessionName() { ::unsetenv("XDG_SESSION_ID"); }
  SessionName(const SessionName&) = delete;
  SessionName& operator=(const SessionName&) = delete;
};

// As systemd-logind 252 writes them (src/login/logind-session.c, session_save).
constexpr auto active = "# This is private data. Do not parse.\nUID=1000\nACTIVE=1\nSTATE=active\n";
constexpr auto closing =
    "# This is private data. Do not parse.\nUID=1000\nACTIVE=0\nSTATE=closing\n";

}  // namespace

TEST_SUITE("system/session_watch") {
  TEST_CASE("a session has ended once logind closes it or has forgotten it") {
    const ScratchDirectory folder;
    const SessionName name("c2");
    for (const bool is_removed : {false, true}) {
      put(folder / "c2", active);
      const SessionWatch session(folder.path());
      CHECK_FALSE(session.has_ended());
      if (is_removed)
        std::filesystem::remove(folder / "c2");
      else
        put(folder / "c2", closing);
      CHECK(session.has_ended());
    }
  }

  TEST_CASE("a session that was over at the start does not count") {
    const ScratchDirectory folder;
    put(folder / "7", closing);
    for (const char* name : {"7", "8", "", "../7"}) {
      const SessionName variable(name);
      CHECK_FALSE(SessionWatch(folder.path()).has_ended());
    }
  }

  TEST_CASE("the variable leads to no file outside the folder") {
    const ScratchDirectory folder;
    std::filesystem::create_directory(folder / "sessions");
    put(folder / "outside", active);
    const SessionName name("../outside");
    const SessionWatch session(folder / "sessions");
    std::filesystem::remove(folder / "outside");
    CHECK_FALSE(session.has_ended());
  }
}
