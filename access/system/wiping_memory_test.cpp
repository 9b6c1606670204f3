#include "access/system/wiping_memory.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "access/system/platform.hpp"
#include "access/testing/forked_child.hpp"

namespace mayfly {
namespace {

using testing::ForkedChild;
using testing::Line;

// Reads a block that was given back. C++ does not define that, and there is no other way to see
// whether it was wiped; a child process does it, since it may crash.
int bytes_left(void (*give_back)(char*)) {
  return ForkedChild([&](const Line&) {
           constexpr std::size_t size = 1000;
           char* volatile block = static_cast<char*>(std::malloc(size));
           std::memset(block, 's', size);
           give_back(block);
           int left = 0;
           for (std::size_t i = 0; i < size; ++i) left += block[i] == 's' ? 1 : 0;
           return left == 0 ? 0 : 1;
         })
      .exit_code();
}

TEST_SUITE("system/wiping_memory") {
  TEST_CASE("what is given back is wiped" * doctest::skip(platform == Platform::portable)) {
    CHECK(bytes_left([](char* block) { wiping_free(block); }) == 0);
    CHECK(bytes_left([](char* block) { static_cast<void>(wiping_realloc(block, 1'000'000)); }) ==
          0);
    wiping_free(nullptr);
  }

  TEST_CASE("a block that grows or shrinks keeps its content") {
    auto* block = static_cast<char*>(wiping_realloc(nullptr, 10));
    REQUIRE(block != nullptr);
    std::strcpy(block, "content");
    for (const std::size_t size : {10u, 24u, 100'000u, 5'000'000u, 200u, 10u}) {
      block = static_cast<char*>(wiping_realloc(block, size));
      REQUIRE(block != nullptr);
      CHECK(std::string(block) == "content");
      block[size - 1] = block[size - 1] == 'x' ? 'y' : 'x';  // it is ours to the end
      std::strcpy(block, "content");
    }
    wiping_free(block);
  }
}

}  // namespace
}  // namespace mayfly
