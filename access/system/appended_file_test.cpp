// The mode of a new file, and which links are followed to an old one.
#include "access/system/appended_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "access/testing/scratch_directory.hpp"

using namespace mayfly;
using namespace mayfly::testing;

TEST_CASE("appended file: a new one is 0600, whatever the umask, and closed for other programs") {
  const ScratchDirectory scratch;
  for (const mode_t mask : {0000, 0022, 0077, 0777}) {
    const Umask umask(mask);
    const std::string path = scratch / std::to_string(mask);
    const Descriptor file = open_appended_file(path);
    REQUIRE(file);
    CHECK(mode_of(path) == 0600);
    CHECK((::fcntl(file.get(), F_GETFD) & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("appended file: an old one keeps its mode and what is in it") {
  const ScratchDirectory scratch;
  put(scratch / "old", "one\n");
  ::chmod((scratch / "old").c_str(), 0640);
  const Descriptor file = open_appended_file(scratch / "old");
  REQUIRE(::write(file.get(), "two\n", 4) == 4);
  CHECK(content_of(scratch / "old") == "one\ntwo\n");
  CHECK(mode_of(scratch / "old") == 0640);
}

TEST_CASE("appended file: one that somebody else has put there" * doctest::skip(::geteuid() != 0)) {
  constexpr uid_t somebody = 12345;
  const ScratchDirectory scratch;
  put(scratch / "file", "");
  std::filesystem::create_symlink(scratch / "file", scratch / "link");
  REQUIRE(::mkfifo((scratch / "pipe").c_str(), 0666) == 0);
  for (const char* name : {"file", "pipe"})
    REQUIRE(::chown((scratch / name).c_str(), somebody, somebody) == 0);
  for (const char* name : {"file", "link", "pipe"}) {
    CAPTURE(name);
    CHECK_FALSE(open_appended_file(scratch / name));
    CHECK(errno == EPERM);
  }
  CHECK(content_of(scratch / "file").empty());
}

TEST_CASE("appended file: links") {
  const ScratchDirectory scratch;
  put(scratch / "file", "");
  std::filesystem::create_symlink(scratch / "file", scratch / "ours");
  std::filesystem::create_symlink(scratch / "nowhere", scratch / "dangling");
  CHECK(open_appended_file(scratch / "ours"));
  CHECK_FALSE(open_appended_file(scratch / "dangling"));
  CHECK_FALSE(is_there(scratch / "nowhere"));
  CHECK(open_appended_file("/dev/stderr"));
  CHECK(open_appended_file("/dev/null"));
  if (::geteuid() != 0) return;
  std::filesystem::create_symlink(scratch / "file", scratch / "theirs");
  constexpr uid_t somebody = 12345;
  REQUIRE(::lchown((scratch / "theirs").c_str(), somebody, somebody) == 0);
  CHECK_FALSE(open_appended_file(scratch / "theirs"));
  CHECK(errno == ELOOP);
}
