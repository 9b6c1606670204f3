#include "access/system/files.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <functional>

#include "access/core/error.hpp"
#include "access/testing/forked_child.hpp"
#include "access/testing/scratch_directory.hpp"

namespace mayfly {
namespace {

using namespace std::string_view_literals;
using testing::content_of;
using testing::ForkedChild;
using testing::is_there;
using testing::Line;
using testing::mode_of;
using testing::put;
using testing::ScratchDirectory;
using testing::Umask;
using Names = std::vector<std::string>;

// Writing beyond it fails as it does on a full disk: after a part has been written.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

template <typename Function>
Error check_failed(Function function) {
  try {
    function();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::failed);
    CHECK_FALSE(error.message().empty());
    return error;
  }
  FAIL_CHECK("nothing was thrown");
  return {ErrorKind::usage, {}};
}

TEST_SUITE("core/files") {
  TEST_CASE("file names") {
    CHECK(file_name("vm.example.com-abc-token") == "vm.example.com-abc-token");
    CHECK(file_name("*.example.com/a/b-token") == "-.example.com-a-b-token");
    CHECK(file_name("/../../etc/passwd") == "-..-..-etc-passwd");
    CHECK(file_name(std::string(255, 'a')).size() == 255);
    const std::string too_long(256, 'a');
    for (const auto raw : {""sv, "."sv, ".."sv, ".ssh"sv, "../x"sv, "./x"sv, "a\nb"sv, "a\0b"sv,
                           "a\x7f"sv, "\x1b[31m"sv, std::string_view(too_long)}) {
      CAPTURE(raw);
      try {
        FAIL_CHECK("became " << file_name(raw));
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::usage);
        CHECK(error.message().front() != ' ');
        CHECK(error.message().find_first_of("\n\x1b") == std::string::npos);
      }
    }
  }

  TEST_CASE("modes do not depend on the umask") {
    for (const mode_t mask : {0000u, 0022u, 0077u, 0777u}) {
      CAPTURE(mask);
      const ScratchDirectory scratch;
      put(scratch / "old", "");
      const Umask umask(mask);
      const auto state = StateDirectory::open(scratch / "state");
      CHECK(mode_of(scratch / "state") == 0700);
      state.write("a", "x");
      state.write_all({{"b", "y"}, {"c", "z"}});
      for (const auto name : {"a", "b", "c"}) CHECK(mode_of(state.path_of(name)) == 0600);
      CHECK(state.read("a")->content == "x");
    }
  }

  TEST_CASE("a file that others could read is replaced by one that they cannot") {
    const ScratchDirectory scratch;
    const auto state = StateDirectory::open(scratch.path());
    put(scratch / "a", "old");
    REQUIRE(::chmod((scratch / "a").c_str(), 0666) == 0);
    state.write("a", "new");
    CHECK(mode_of(scratch / "a") == 0600);
  }

  TEST_CASE("the directory is made, or looked for without making it") {
    const ScratchDirectory scratch;
    CHECK_FALSE(StateDirectory::open_existing(scratch / "state"));
    CHECK_FALSE(is_there(scratch / "state"));
    CHECK(StateDirectory::open(scratch / "state").path() == scratch / "state");
    CHECK(StateDirectory::open(scratch / "state").list().empty());
    REQUIRE(StateDirectory::open_existing(scratch / "state"));
    CHECK(StateDirectory::open_existing(scratch / "state")->path_of("a") == scratch / "state/a");
    check_failed([&] { StateDirectory::open(scratch / "no/parent"); });
    check_failed([&] { StateDirectory::open(""); });
  }

  TEST_CASE("where there is no directory, there are no files, and none can be written") {
    const ScratchDirectory scratch;
    put(scratch / "file", "");
    CHECK(StateDirectory::open_or_none(scratch / "state").list().empty());
    CHECK(is_there(scratch / "state"));
    const auto none = StateDirectory::open_or_none(scratch / "no/parent");
    CHECK_FALSE(none.read("a"));
    CHECK(none.list().empty());
    CHECK_FALSE(none.remove("a"));
    const std::function<void()> ways[] = {[&] { none.write("a", "new"); },
                                          [&] {
                                            none.write_all({{"a", "new"}});
                                          },
                                          [&] {
                                            none.replace_set({{"a", "new"}});
                                          }};
    for (const auto& write : ways) {
      const Error error = check_failed(write);
      CHECK(error.message().find("cannot make the directory " + (scratch / "no/parent")) == 0);
      CHECK(error.hint().find("MAYFLY_HOME") != std::string::npos);
    }
    // What cannot be trusted is no reason to do without.
    check_failed([&] { StateDirectory::open_or_none(scratch / "file"); });
    REQUIRE(::chmod((scratch / "state").c_str(), 0777) == 0);
    check_failed([&] { StateDirectory::open_or_none(scratch / "state"); });
  }

  TEST_CASE("directories that are refused") {
    const ScratchDirectory scratch;
    std::filesystem::create_directory(scratch / "real");
    std::filesystem::create_symlink("real", scratch / "link");
    std::filesystem::create_symlink("nowhere", scratch / "dangling");
    put(scratch / "file", "");
    std::filesystem::create_symlink("loop", scratch / "loop");
    std::filesystem::create_symlink("file", scratch / "to-file");
    for (const auto name : {"dangling", "dangling/", "file", "loop", "to-file"}) {
      CAPTURE(name);
      check_failed([&] { StateDirectory::open(scratch / name); });
      check_failed([&] { StateDirectory::open_existing(scratch / name); });
    }
    CHECK_FALSE(is_there(scratch / "nowhere"));
    CHECK_NOTHROW(StateDirectory::open(scratch / "real/"));
  }

  TEST_CASE("a link of one's own to a directory of one's own is followed") {
    const ScratchDirectory scratch;
    std::filesystem::create_directory(scratch / "real");
    std::filesystem::create_symlink("real", scratch / "link");
    std::filesystem::create_symlink(scratch / "link", scratch / "second");
    for (const auto name : {"link", "link/", "second", "second//"}) {
      CAPTURE(name);
      StateDirectory::open(scratch / name).write(std::string(name).substr(0, 4), "x");
      CHECK(StateDirectory::open_existing(scratch / name));
    }
    CHECK(is_there(scratch / "real/link"));
    CHECK(is_there(scratch / "real/seco"));
    REQUIRE(::chmod((scratch / "real").c_str(), 0777) == 0);
    check_failed([&] { StateDirectory::open(scratch / "link"); });
  }

  TEST_CASE("another user's link, and a link to another user's directory, are refused") {
    const ScratchDirectory scratch;
    std::filesystem::create_directory(scratch / "real");
    std::filesystem::create_symlink("real", scratch / "link");
    std::filesystem::create_symlink("/usr", scratch / "usr");
    if (::geteuid() != 0) {
      check_failed([&] { StateDirectory::open(scratch / "usr"); });
      return;
    }
    REQUIRE(::lchown((scratch / "link").c_str(), 65534, 65534) == 0);
    check_failed([&] { StateDirectory::open(scratch / "link"); });
    check_failed([&] { StateDirectory::open_existing(scratch / "link"); });
    REQUIRE(::lchown((scratch / "link").c_str(), 0, 0) == 0);
    REQUIRE(::chown((scratch / "real").c_str(), 65534, 65534) == 0);
    check_failed([&] { StateDirectory::open(scratch / "link"); });
  }

  TEST_CASE("a directory that others can write to is refused, with the cure") {
    const ScratchDirectory scratch;
    const std::string path = scratch / "my state";
    StateDirectory::open(path);
    for (const mode_t mode : {0770u, 0702u, 01777u, 0720u}) {
      REQUIRE(::chmod(path.c_str(), mode) == 0);
      check_failed([&] { StateDirectory::open(path); });
      try {
        StateDirectory::open_existing(path);
      } catch (const Error& error) {
        CHECK(error.hint() == "run: chmod go-w '" + path + "'");
      }
    }
    for (const mode_t mode : {0700u, 0755u, 0750u}) {
      REQUIRE(::chmod(path.c_str(), mode) == 0);
      CHECK_NOTHROW(StateDirectory::open(path));
    }
  }

  TEST_CASE("what belongs to somebody else is refused") {
    const ScratchDirectory scratch;
    if (::geteuid() != 0) {
      check_failed([] { StateDirectory::open("/usr"); });
      return;
    }
    const auto state = StateDirectory::open(scratch / "state");
    state.write("a", "x");
    REQUIRE(::chown(state.path_of("a").c_str(), 65534, 65534) == 0);
    check_failed([&] { state.read("a"); });
    REQUIRE(::chown(state.path().c_str(), 65534, 65534) == 0);
    check_failed([&] { StateDirectory::open(state.path()); });
    check_failed([&] { StateDirectory::open_existing(state.path()); });
  }

  TEST_CASE("reading") {
    const ScratchDirectory scratch;
    const auto state = StateDirectory::open(scratch.path());
    CHECK_FALSE(state.read("a"));
    put(scratch / "a", "a\0b\n"sv);
    const timespec times[] = {{1, 0}, {1'000'000'000, 500'000'000}};
    REQUIRE(::utimensat(AT_FDCWD, (scratch / "a").c_str(), times, 0) == 0);
    const auto file = state.read("a");
    REQUIRE(file);
    CHECK(file->content == "a\0b\n"sv);
    CHECK(file->modified.time_since_epoch() == std::chrono::milliseconds(1'000'000'000'500));
    put(scratch / "empty", "");
    CHECK(state.read("empty")->content.empty());
  }

  TEST_CASE("a file that is too large is refused") {
    const ScratchDirectory scratch;
    const auto state = StateDirectory::open(scratch.path());
    put(scratch / "a", "12345");
    CHECK(state.read("a", 5)->content == "12345");
    check_failed([&] { state.read("a", 4); });
    std::filesystem::resize_file(scratch / "a", std::uintmax_t{1} << 40);
    check_failed([&] { state.read("a"); });
  }

  TEST_CASE("what is no regular file is refused at once") {
    const ScratchDirectory scratch;
    const auto state = StateDirectory::open(scratch.path());
    put(scratch / "target", "x");
    std::filesystem::create_symlink("target", scratch / "link");
    std::filesystem::create_symlink("nowhere", scratch / "dangling");
    std::filesystem::create_directory(scratch / "directory");
    REQUIRE(::mkfifo((scratch / "fifo").c_str(), 0600) == 0);
    for (const auto name : {"link", "dangling", "directory", "fifo"}) {
      CAPTURE(name);
      check_failed([&] { state.read(name); });
    }
  }

  TEST_CASE("links are replaced and removed, never followed") {
    const ScratchDirectory scratch;
    const auto state = StateDirectory::open(scratch / "state");
    put(scratch / "target", "theirs");
    for (const auto name : {"a", "b"}) {
      std::filesystem::create_symlink("../target", state.path_of(name));
    }
    state.write("a", "ours");
    CHECK(state.read("a")->content == "ours");
    CHECK(state.remove("b"));
    CHECK(content_of(scratch / "target") == "theirs");
  }

  TEST_CASE("no name leaves the directory") {
    const ScratchDirectory scratch;
    const auto state = StateDirectory::open(scratch / "state");
    put(scratch / "outside", "x");
    put(state.path_of("a"), "x");
    std::filesystem::create_directory(state.path_of("sub"));
    for (const auto name :
         {"../outside"sv, "../new"sv, "sub/new"sv, "/tmp/x"sv, ""sv, "."sv, ".."sv, "a\0b"sv}) {
      CAPTURE(name);
      check_failed([&] { state.read(name); });
      check_failed([&] { state.write(name, "y"); });
      check_failed([&] { state.write_all({{std::string(name), "y"}}); });
      check_failed([&] { state.remove(name); });
    }
    CHECK(content_of(scratch / "outside") == "x");
    CHECK(content_of(state.path_of("a")) == "x");
    CHECK(state.list() == Names{"a", "sub"});
  }

  TEST_CASE("removing") {
    const ScratchDirectory scratch;
    const auto state = StateDirectory::open(scratch.path());
    state.write("a", "");
    std::filesystem::create_directory(scratch / "directory");
    CHECK(state.list() == Names{"a", "directory"});
    CHECK(state.remove("a"));
    CHECK_FALSE(state.remove("a"));
    check_failed([&] { state.remove("directory"); });
  }

  TEST_CASE("when the disk is full the old file stays, and nothing else") {
    const ScratchDirectory scratch;
    const auto state = StateDirectory::open(scratch.path());
    state.write("a", "old a");
    state.write("b", "old b");
    const std::string large(100'000, 'x');
    {
      const FileSizeLimit limit(50'000);
      check_failed([&] { state.write("a", large); });
      check_failed([&] { state.write("new", large); });
      check_failed([&] { state.write_all({{"a", "new a"}, {"b", large}}); });
    }
    CHECK(state.read("a")->content == "old a");
    CHECK(state.read("b")->content == "old b");
    CHECK(state.list() == Names{"a", "b"});
    state.write("a", large);
    CHECK(state.read("a")->content == large);
  }

  TEST_CASE("files that belong together get their names in the order given") {
    const ScratchDirectory scratch;
    const auto state = StateDirectory::open(scratch.path());
    state.write_all({{"key", "1"}, {"key.pub", "2"}, {"key-cert.pub", "3"}});
    CHECK(state.read("key-cert.pub")->content == "3");
    // A name that cannot be replaced stands for the crash: what comes before it is new, what comes
    // after it is old.
    REQUIRE(state.remove("key.pub"));
    std::filesystem::create_directory(scratch / "key.pub");
    check_failed([&] { state.write_all({{"key", "4"}, {"key.pub", "5"}, {"key-cert.pub", "6"}}); });
    CHECK(state.read("key")->content == "4");
    CHECK(state.read("key-cert.pub")->content == "3");
    CHECK(state.list() == Names{"key", "key-cert.pub", "key.pub"});
  }

  TEST_CASE("a directory that is swapped for a link under our feet is not followed") {
    const ScratchDirectory scratch;
    const auto state = StateDirectory::open(scratch / "state");
    state.write("a", "ours");
    std::filesystem::rename(scratch / "state", scratch / "moved");
    std::filesystem::create_directory(scratch / "theirs");
    put(scratch / "theirs/a", "theirs");
    std::filesystem::create_symlink("theirs", scratch / "state");
    CHECK(state.read("a")->content == "ours");
    state.write("a", "new");
    state.write_all({{"b", "new"}});
    CHECK(state.remove("a"));
    CHECK(content_of(scratch / "theirs/a") == "theirs");
    CHECK_FALSE(is_there(scratch / "theirs/b"));
    CHECK(content_of(scratch / "moved/b") == "new");
  }

  TEST_CASE("files that are swapped for links under our feet are not followed") {
    const ScratchDirectory scratch;
    const auto state = StateDirectory::open(scratch / "state");
    put(scratch / "precious", "precious");
    REQUIRE(::chmod((scratch / "precious").c_str(), 0640) == 0);
    // Another program of the same user, as fast as can be; each of our calls meets a file or a
    // link.
    const ForkedChild swapper([&](const Line& line) {
      line.tell('g');
      for (;;) {
        ::unlink((scratch / "state/a").c_str());
        if (::symlink("../precious", (scratch / "state/a").c_str()) != 0) continue;
      }
      return 0;
    });
    REQUIRE(swapper.hear() == 'g');
    for (int i = 0; i < 300; ++i) {
      state.write("a", "ours");
      try {
        if (const auto file = state.read("a")) CHECK(file->content == "ours");
      } catch (const Error&) {  // it was a link
      }
    }
    CHECK(content_of(scratch / "precious") == "precious");
    CHECK(mode_of(scratch / "precious") == 0640);
  }

  TEST_CASE("of a set that is replaced, never parts of two are there") {
    const ScratchDirectory scratch;
    const auto state = StateDirectory::open(scratch.path());
    state.replace_set({{"key", "1"}, {"key.pub", "2"}, {"key-cert.pub", "3"}});
    state.replace_set({{"key", "4"}, {"key.pub", "5"}, {"key-cert.pub", "6"}});
    CHECK(state.read("key")->content == "4");
    CHECK(state.read("key.pub")->content == "5");
    CHECK(state.read("key-cert.pub")->content == "6");
    // Something that cannot be removed stands for the crash.
    REQUIRE(state.remove("key.pub"));
    std::filesystem::create_directory(scratch / "key.pub");
    check_failed([&] {
      state.replace_set({{"key", "7"}, {"key.pub", "8"}, {"key-cert.pub", "9"}});
    });
    CHECK(state.read("key")->content == "4");
    CHECK(state.list() == Names{"key", "key.pub"});
  }

  TEST_CASE("a set for which there is no room leaves the old one") {
    const ScratchDirectory scratch;
    const auto state = StateDirectory::open(scratch.path());
    state.replace_set({{"key", "1"}, {"key-cert.pub", "2"}});
    {
      const FileSizeLimit limit(50'000);
      const std::string large(100'000, 'x');
      check_failed([&] { state.replace_set({{"key", "3"}, {"key-cert.pub", large}}); });
    }
    CHECK(state.read("key")->content == "1");
    CHECK(state.read("key-cert.pub")->content == "2");
    CHECK(state.list() == Names{"key", "key-cert.pub"});
  }
}

}  // namespace
}  // namespace mayfly
