#include "access/system/private_directory.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/core/error.hpp"
#include "access/testing/scratch_directory.hpp"

using namespace mayfly;
using namespace mayfly::testing;

TEST_CASE("a private directory is made for its owner alone, and taken again") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() + "/ssh";
  const Umask wide_open(0);
  make_private_directory(path);
  CHECK(mode_of(path) == 0700);
  make_private_directory(path);
  CHECK(mode_of(path) == 0700);
}

TEST_CASE("a directory that other users can use is no private one") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() + "/ssh";
  REQUIRE(::mkdir(path.c_str(), 0700) == 0);
  for (const mode_t mode : {0701U, 0710U, 0750U, 0755U, 0777U}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    CHECK_THROWS_AS(make_private_directory(path), Error);
    CHECK(mode_of(path) == mode);  // what others have put into it is for the user to see
  }
}

TEST_CASE("a private directory lies where nobody else can replace it") {
  const ScratchDirectory scratch;
  REQUIRE(::chmod(scratch.path().c_str(), 01777) == 0);  // as /tmp
  CHECK_THROWS_AS(make_private_directory(scratch.path() + "/ssh"), Error);
  REQUIRE(::chmod(scratch.path().c_str(), 0700) == 0);
  CHECK_NOTHROW(make_private_directory(scratch.path() + "/ssh"));
}

TEST_CASE("a link and a file are no private directory") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() + "/ssh";
  REQUIRE(::symlink(scratch.path().c_str(), path.c_str()) == 0);
  CHECK_THROWS_AS(make_private_directory(path), Error);
}
