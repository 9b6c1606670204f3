// A service token's secret in a file that is rewritten or replaced while a command runs.
#include "cli/flags/service_token_source.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "access/core/error.hpp"
#include "access/testing/scratch_directory.hpp"

namespace mayfly::cli {
namespace {

struct Rotation {
  testing::ScratchDirectory scratch;
  std::string file = scratch.path() + "/secret";

  Rotation() { replace("first"); }
  // Writes another file and renames it, as a rotation does.
  void replace(const std::string& secret, mode_t mode = 0600) const {
    std::ofstream(file + ".new") << secret << "\n";
    ::chmod((file + ".new").c_str(), mode);
    std::filesystem::rename(file + ".new", file);
  }
  ServiceTokenSource source() const {
    IdentityFlags flags;
    flags.service_token_id = "ci.access";
    flags.service_token_secret_file = file;
    return *ServiceTokenSource::of(flags);
  }
};

std::string secret_of(const ServiceToken& token) {
  return std::string(token.secret.reveal());
}

}  // namespace

TEST_CASE("service token source: a file that was replaced is read again") {
  const Rotation rotation;
  ServiceTokenSource source = rotation.source();
  CHECK(secret_of(source.current()) == "first");
  rotation.replace("second");
  CHECK(secret_of(source.current()) == "second");
  CHECK(source.current().id == "ci.access");
}

TEST_CASE("service token source: a file that looks unchanged is read after a refusal alone") {
  const Rotation rotation;
  const timespec then[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ::utimensat(AT_FDCWD, rotation.file.c_str(), then, 0);
  ServiceTokenSource source = rotation.source();
  // In place, with the same size; the time of change remains, as on some network file systems.
  std::ofstream(rotation.file, std::ios::in) << "other";
  ::utimensat(AT_FDCWD, rotation.file.c_str(), then, 0);
  CHECK(secret_of(source.read_again()) == "other");
}

TEST_CASE("service token source: a file that cannot be used leaves the secret as it is") {
  const Rotation rotation;
  ServiceTokenSource source = rotation.source();
  for (const auto& spoil : std::vector<std::function<void()>>{
           [&] { std::filesystem::remove(rotation.file); }, [&] { rotation.replace(""); },
           [&] { rotation.replace("ci.access"); }, [&] { rotation.replace("open", 0644); }}) {
    spoil();
    CHECK(secret_of(source.current()) == "first");
    CHECK(secret_of(source.read_again()) == "first");
  }
  rotation.replace("second");
  CHECK(secret_of(source.current()) == "second");
}

TEST_CASE("service token source: a pipe is read once") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], "piped\n", 6) == 6);
  ::close(ends[1]);
  IdentityFlags flags;
  flags.service_token_id = "ci.access";
  flags.service_token_secret_file = "/dev/fd/" + std::to_string(ends[0]);
  auto source = ServiceTokenSource::of(flags);
  REQUIRE(source);
  CHECK(secret_of(source->current()) == "piped");
  CHECK(secret_of(source->read_again()) == "piped");
  ::close(ends[0]);
}

TEST_CASE("service token source: without a service token there is none") {
  CHECK_FALSE(ServiceTokenSource::of({}));
}

}  // namespace mayfly::cli
