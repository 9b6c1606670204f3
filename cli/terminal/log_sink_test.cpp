// Which file a line is found in after a rotation, whatever came between.
#include "cli/terminal/log_sink.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>

#include <map>

#include "access/system/descriptor.hpp"
#include "access/testing/scratch_directory.hpp"

using namespace mayfly;
using namespace mayfly::testing;

namespace {

using Files = std::map<std::string, std::string>;

struct Logs {
  ScratchDirectory scratch;

  explicit Logs(const Files& files) {
    for (const auto& [name, content] : files) put(scratch / name, content);
  }
  void rotate(std::size_t more = 1) const {
    cli::rotate_log_if_due(scratch / "a.log", more, {.most_bytes = 4, .older = 3});
  }
  Files files() const {
    Files found;
    for (const auto& entry : std::filesystem::directory_iterator(scratch.path()))
      found[entry.path().filename()] = content_of(entry.path());
    return found;
  }
};

TEST_CASE("log rotation: what does not fit any more gets a number, and the oldest is forgotten") {
  const Logs logs(Files{{"a.log", "now\n"}, {"a.1.log", "1"}, {"a.2.log", "2"}, {"a.3.log", "3"}});
  logs.rotate();
  CHECK(logs.files() == Files{{"a.1.log", "now\n"}, {"a.2.log", "1"}, {"a.3.log", "2"}});
  logs.rotate();  // there is nothing to rotate
  CHECK(logs.files().size() == 3);
}

TEST_CASE("log rotation: not before it is due") {
  const Logs logs(Files{{"a.log", "ow\n"}, {"a.1.log", "1"}});
  logs.rotate(1);
  CHECK(logs.files() == Files{{"a.log", "ow\n"}, {"a.1.log", "1"}});
  logs.rotate(2);
  CHECK(logs.files() == Files{{"a.1.log", "ow\n"}, {"a.2.log", "1"}});
}

TEST_CASE(
    "log rotation: a line that is too long for any file is no reason to rotate an empty one") {
  const Logs logs(Files{{"a.log", ""}, {"a.1.log", "1"}});
  logs.rotate(100);
  CHECK(logs.files() == Files{{"a.log", ""}, {"a.1.log", "1"}});
}

TEST_CASE("log rotation: one that was cut short is completed, and nothing more is forgotten") {
  const Logs logs(Files{{"a.log", "now\n"}, {"a.1.log", "1"}, {"a.3.log", "2"}});
  logs.rotate();
  CHECK(logs.files() == Files{{"a.1.log", "now\n"}, {"a.2.log", "1"}, {"a.3.log", "2"}});
}

TEST_CASE("log rotation: left to the process that is at it") {
  const Logs logs(Files{{"a.log", "now\n"}});
  const Descriptor other(::open((logs.scratch / "a.log").c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(::flock(other.get(), LOCK_EX) == 0);
  logs.rotate();
  CHECK(logs.files() == Files{{"a.log", "now\n"}});
}

TEST_CASE("log rotation: a name that cannot be taken leaves all where they are") {
  const Files before = {{"a.log", "now\n"}, {"a.1.log", "1"}, {"a.2.log", "2"}};
  const Logs logs(before);
  std::filesystem::create_directory(logs.scratch / "a.3.log");
  logs.rotate();
  std::filesystem::remove(logs.scratch / "a.3.log");
  CHECK(logs.files() == before);
}

}  // namespace
