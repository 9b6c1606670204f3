#include "access/system/temporary_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include "access/core/error.hpp"
#include "access/system/directory_listing.hpp"
#include "access/testing/forked_child.hpp"
#include "access/testing/scratch_directory.hpp"

namespace mayfly {
namespace {

using testing::content_of;
using testing::ForkedChild;
using testing::Line;
using Names = std::vector<std::string>;

struct Directory {
  testing::ScratchDirectory scratch;
  Descriptor descriptor{::open(scratch.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};

  TemporaryFile temporary() const { return {descriptor.get(), scratch.path()}; }
  void remove_orphans() const { TemporaryFile::remove_orphans(descriptor.get(), scratch.path()); }
  Names names() const { return list_directory(descriptor.get(), scratch.path()); }
};

TEST_SUITE("core/temporary_file") {
  TEST_CASE("is removed when it gets no name") {
    const Directory directory;
    {
      TemporaryFile file = directory.temporary();
      file.write("x");
      CHECK(directory.names().size() == 1);
    }
    CHECK(directory.names().empty());
  }

  TEST_CASE("takes a name, over another file or only when it is free") {
    const Directory directory;
    testing::put(directory.scratch / "a", "old");
    TemporaryFile first = directory.temporary(), second = directory.temporary();
    first.write("new");
    second.write("second");
    CHECK_FALSE(second.rename_to_free("a"));
    CHECK(content_of(directory.scratch / "a") == "old");
    first.rename_over("a");
    CHECK(content_of(directory.scratch / "a") == "new");
    CHECK(second.rename_to_free("b"));
    CHECK(content_of(directory.scratch / "b") == "second");
    CHECK(directory.names() == Names{"a", "b"});
  }

  TEST_CASE("one that a killed writer left is removed") {
    const Directory directory;
    ForkedChild writer([&](const Line& line) {
      TemporaryFile file = directory.temporary();
      file.write("half");
      line.tell('w');
      return line.hear();
    });
    REQUIRE(writer.hear() == 'w');
    REQUIRE(directory.names().size() == 1);
    writer.kill_unreaped();
    directory.remove_orphans();
    CHECK(directory.names().empty());
  }

  TEST_CASE("one of a living writer is left alone") {
    const Directory directory;
    ForkedChild writer([&](const Line& line) {
      TemporaryFile file = directory.temporary();
      file.write("whole");
      line.tell('w');
      line.hear();
      file.rename_over("b");
      return 0;
    });
    REQUIRE(writer.hear() == 'w');
    directory.remove_orphans();
    CHECK(directory.names().size() == 1);
    writer.tell('g');
    CHECK(writer.exit_code() == 0);
    CHECK(directory.names() == Names{"b"});
    CHECK(content_of(directory.scratch / "b") == "whole");
  }

  TEST_CASE("has its mode from the start, whatever the umask") {
    const Directory directory;
    const testing::Umask umask(0777);
    const TemporaryFile file = directory.temporary();
    for (const std::string& name : directory.names())
      CHECK(testing::mode_of(directory.scratch / name) == 0600);
    CHECK(::umask(0777) == 0777);
  }

  TEST_CASE("only its own kind is removed") {
    const Directory directory;
    for (const auto name : {".mayfly-1", "x.tmp", "mayfly-1.tmp", "example.com-token"}) {
      testing::put(directory.scratch / name, "");
    }
    std::filesystem::create_symlink("x.tmp", directory.scratch / ".mayfly-link.tmp");
    std::filesystem::create_directory(directory.scratch / ".mayfly-directory.tmp");
    testing::put(directory.scratch / ".mayfly-1.tmp", "");
    const Names before = directory.names();
    directory.remove_orphans();
    Names after = before;
    std::erase(after, ".mayfly-1.tmp");
    CHECK(directory.names() == after);
  }

  TEST_CASE("a directory that is gone or a target that cannot be replaced is an error") {
    const Directory directory;
    std::filesystem::create_directory(directory.scratch / "a");
    {
      TemporaryFile file = directory.temporary();
      CHECK_THROWS_AS(file.rename_over("a"), Error);
      CHECK_FALSE(file.rename_to_free("a"));
    }
    CHECK(directory.names() == Names{"a"});
    CHECK_THROWS_AS(TemporaryFile(-1, "nowhere"), Error);
  }
}

}  // namespace
}  // namespace mayfly
