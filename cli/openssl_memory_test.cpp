#include <doctest/doctest.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "cli/process.hpp"

using namespace mayfly::cli;

namespace {

constexpr const char* name = "what OpenSSL gives back is wiped";
constexpr const char* is_fresh = "MAYFLY_TEST_IS_FRESH";
constexpr std::size_t size = 1024;
constexpr std::string_view secret = "16 secret bytes.";

// OpenSSL takes functions for its memory only before its first use, so this needs a program that
// has just begun. 0 when the test case passed in it.
int exit_code_of_fresh_program() {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::setenv(is_fresh, "1", 1);
    const std::string filter = std::string("--test-case=") + name;
    ::execl("/proc/self/exe", "test-cli", filter.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

char* filled_block() {
  auto* block = static_cast<char*>(OPENSSL_malloc(size));
  REQUIRE(block != nullptr);
  for (std::size_t i = 0; i < size; ++i) block[i] = secret[i % secret.size()];
  return block;
}

// Reads a block that was given back. C++ does not define that, and there is no other way to see
// whether it was wiped. The C library keeps pointers and a random number in a free block, so single
// bytes prove nothing.
bool secret_is_left(const char* block) {
  return std::string_view(block, size).find(secret) != std::string_view::npos;
}

}  // namespace

TEST_CASE("what OpenSSL gives back is wiped") {
  if (::getenv(is_fresh) == nullptr) {
    CHECK(exit_code_of_fresh_program() == 0);
    return;
  }
  harden_process();
  char* const given_back = filled_block();
  OPENSSL_free(given_back);
  CHECK_FALSE(secret_is_left(given_back));

  char* const left_behind = filled_block();
  // Something behind it, so that it cannot grow where it is.
  void* const next = OPENSSL_malloc(size);
  void* const moved = OPENSSL_realloc(left_behind, 100 * size);
  REQUIRE(moved != left_behind);
  CHECK_FALSE(secret_is_left(left_behind));
  OPENSSL_free(moved);
  OPENSSL_free(next);
}
