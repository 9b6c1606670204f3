// What curl is handed by descriptor: read as often as it likes, and changed by nobody.
#include "cli/curl/memory_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "access/system/platform.hpp"
#include "access/testing/scratch_directory.hpp"

using namespace mayfly;

TEST_CASE("a file in memory is sealed, and inherited once it is handed over") {
  const Descriptor file = anonymous_file("secret");
  CHECK((::fcntl(file.get(), F_GETFD) & FD_CLOEXEC) != 0);
  cli::hand_over(file);
  CHECK((::fcntl(file.get(), F_GETFD) & FD_CLOEXEC) == 0);
  CHECK(testing::content_of(cli::path_of(file)) == "secret");
  if (platform == Platform::portable) return;  // its file can be changed by its owner
  CHECK(::pwrite(file.get(), "x", 1, 0) == -1);
  CHECK(::ftruncate(file.get(), 0) == -1);
  CHECK(::ftruncate(file.get(), 100) == -1);
  CHECK(::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL) == -1);
  CHECK(testing::content_of(cli::path_of(file)) == "secret");
}
