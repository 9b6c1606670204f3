#include "access/system/directory_listing.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include "access/core/error.hpp"
#include "access/system/descriptor.hpp"
#include "access/testing/scratch_directory.hpp"

namespace mayfly {

TEST_SUITE("core/directory_listing") {
  TEST_CASE("every name, in order, as often as it is asked") {
    const testing::ScratchDirectory scratch;
    for (const auto name : {"b", ".hidden", "a"}) testing::put(scratch / name, "");
    const Descriptor directory(::open(scratch.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::vector<std::string> expected = {".hidden", "a", "b"};
    CHECK(list_directory(directory.get(), scratch.path()) == expected);
    CHECK(list_directory(directory.get(), scratch.path()) == expected);
  }

  TEST_CASE("what is no directory") {
    CHECK_THROWS_AS(list_directory(-1, "nowhere"), Error);
  }
}

}  // namespace mayfly
