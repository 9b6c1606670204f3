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
}

}  // namespace mayfly
