#include "access/system/wiping_memory.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "access/system/platform.hpp"
#include "access/testing/forked_child.hpp"

namespace mayfly {
namespace {

using testing::ForkedChild;
using testing::Line;

// Fills a block with a secret, gives it back and reads it. C++ does not define that, and there is
// no other way to see whether the block was wiped; a child process does it, since it may crash. The
// C library keeps pointers and a random number in a free block, so single bytes prove nothing.
bool secret_is_left(void (*give_back)(char*)) {
  return ForkedChild([&](const Line&) {
           constexpr std::string_view secret = "16 secret bytes.";
           constexpr std::size_t size = 1024;
           char* volatile block = static_cast<char*>(std::malloc(size));
           for (std::size_t i = 0; i < size; ++i) block[i] = secret[i % secret.size()];
           give_back(block);
           const std::string_view left(block, size);
           return left.find(secret) == std::string_view::npos ? 0 : 1;
         }).exit_code() != 0;
}

TEST_SUITE("system/wiping_memory") {
  TEST_CASE("what is given back is wiped" * doctest::skip(platform == Platform::portable)) {
    CHECK_FALSE(secret_is_left([](char* block) { wiping_free(block); }));
    CHECK_FALSE(
        secret_is_left([](char* block) { static_cast<void>(wiping_realloc(block, 1'000'000)); }));
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
