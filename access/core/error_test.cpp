#include "access/core/error.hpp"

#include <doctest/doctest.h>

#include <cerrno>

namespace mayfly {

TEST_SUITE("core/error") {
  TEST_CASE("a system error says what failed and why") {
    const Error error = system_error("cannot open x", ENOENT);
    CHECK(error.kind() == ErrorKind::failed);
    CHECK(error.message() == "cannot open x: No such file or directory");
    CHECK(std::string(error.what()) == error.message());
    CHECK(error.hint().empty());
  }

  TEST_CASE("where the number alone says what to do, the hint does") {
    CHECK(system_error("cannot open x", EMFILE).hint() ==
          "raise the limit of open files: ulimit -n");
    CHECK(system_error("cannot write x", ENOSPC).hint() == "make room there, and run it again");
    CHECK(system_error("cannot read x", EIO).hint().empty());
  }
}

}  // namespace mayfly
