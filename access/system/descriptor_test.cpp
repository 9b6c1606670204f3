#include "access/system/descriptor.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

namespace mayfly {
namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) != -1;
}

TEST_SUITE("core/descriptor") {
  TEST_CASE("closes what it owns, once") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    {
      Descriptor a(ends[0]);
      Descriptor b(std::move(a));
      CHECK_FALSE(a);  // NOLINT(bugprone-use-after-move)
      CHECK(b.get() == ends[0]);
      Descriptor c;
      c = std::move(b);
      CHECK(c);
      CHECK(is_open(ends[0]));
      Descriptor kept(ends[1]);
      CHECK(kept.release() == ends[1]);
    }
    CHECK_FALSE(is_open(ends[0]));
    CHECK(is_open(ends[1]));
    ::close(ends[1]);
  }
}

}  // namespace
}  // namespace mayfly
