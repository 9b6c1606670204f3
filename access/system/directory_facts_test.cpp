#include "access/system/directory_facts.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/testing/scratch_directory.hpp"

using namespace mayfly;
using testing::put;
using testing::ScratchDirectory;
using Kind = EntryFacts::Kind;

TEST_CASE("facts of the state directory") {
  const ScratchDirectory scratch;
  const auto directory = StateDirectory::open(scratch / "state");
  CHECK_FALSE(facts_of(directory).is_open_to_others);
  CHECK(facts_of(directory).is_writable);
  CHECK(facts_of(directory).entries.empty());
  for (const mode_t open : {0710U, 0701U, 0750U, 0755U}) {
    REQUIRE(::chmod(directory.path().c_str(), open) == 0);
    CHECK(facts_of(directory).is_open_to_others);
  }
}

TEST_CASE("facts of what lies in it") {
  const ScratchDirectory scratch;
  const auto directory = StateDirectory::open(scratch / "state");
  directory.write("a-token", "x");
  directory.write("b-token", "x");
  REQUIRE(::chmod(directory.path_of("b-token").c_str(), 0640) == 0);
  REQUIRE(::symlink("a-token", directory.path_of("c-link").c_str()) == 0);
  REQUIRE(::mkdir(directory.path_of("d-folder").c_str(), 0700) == 0);

  const auto entries = facts_of(directory).entries;
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].name == "a-token");
  CHECK(entries[0].kind == Kind::file);
  CHECK(entries[0].is_own);
  CHECK_FALSE(entries[0].is_open_to_others);
  CHECK(entries[1].is_open_to_others);
  CHECK(entries[2].kind == Kind::link);
  CHECK(entries[3].kind == Kind::other);
}

// Only root can give a file away.
TEST_CASE("what belongs to somebody else" * doctest::skip(::geteuid() != 0)) {
  const ScratchDirectory scratch;
  const auto directory = StateDirectory::open(scratch / "state");
  directory.write("a-token", "x");
  REQUIRE(::chown(directory.path_of("a-token").c_str(), 65534, 65534) == 0);
  CHECK_FALSE(facts_of(directory).entries.at(0).is_own);
}
