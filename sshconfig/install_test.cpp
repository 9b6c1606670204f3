#include "sshconfig/install.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/core/error.hpp"
#include "sshconfig/testing/scratch.hpp"

using namespace mayfly;
using namespace mayfly::sshconfig;
namespace fs = std::filesystem;

namespace {

constexpr const char* block = "Host vm.example.com\n  User jdoe\n";

struct Home {
  ScratchDirectory scratch;
  InstallPaths paths{.ssh_directory = scratch.path() + "/.ssh"};
  std::string config = paths.ssh_directory + "/config";
  std::string own = paths.ssh_directory + "/mayfly_config";

  void install(const std::string& host = "vm.example.com") const {
    carry_out(plan_install(paths, host, block));
  }
  void remove(const std::string& host = "vm.example.com") const {
    carry_out(plan_removal(paths, host));
  }
  std::size_t file_count() const {
    const fs::directory_iterator files(paths.ssh_directory);
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }
};

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

std::string failure(const std::vector<Change>& changes,
                    std::chrono::milliseconds patience = usual_flock_patience) {
  try {
    carry_out(changes, patience);
  } catch (const Error& error) {
    return error.message();
  }
  return {};
}

}  // namespace

TEST_CASE("install: a process that holds a lock on the directory for ever is not waited for") {
  const Home home;
  REQUIRE(::mkdir(home.paths.ssh_directory.c_str(), 0700) == 0);
  const Descriptor other(::open(home.paths.ssh_directory.c_str(), O_RDONLY | O_DIRECTORY));
  REQUIRE(::flock(other.get(), LOCK_EX) == 0);
  const auto changes = plan_install(home.paths, "vm.example.com", block);
  CHECK(failure(changes, std::chrono::milliseconds(50)) ==
        "another process has held " + home.paths.ssh_directory + " for too long");
  CHECK(home.file_count() == 0);
  REQUIRE(::flock(other.get(), LOCK_UN) == 0);
  carry_out(changes);
  CHECK(home.file_count() == 2);
}

TEST_CASE("install: from nothing and back to nothing") {
  const Home home;
  const mode_t old_mask = ::umask(0);
  home.install();
  ::umask(old_mask);
  CHECK(mode_of(home.paths.ssh_directory) == 0700);
  CHECK(mode_of(home.config) == 0600);
  CHECK(mode_of(home.own) == 0600);
  CHECK(content_of(home.config) == "Include " + home.own + "\n");
  CHECK(content_of(home.own).find(block) != std::string::npos);
  CHECK(home.file_count() == 2);
  home.remove();
  CHECK(home.file_count() == 0);
}

TEST_CASE("install: installing twice changes nothing more") {
  const Home home;
  home.install();
  CHECK(plan_install(home.paths, "vm.example.com", block).empty());
  home.remove();
  CHECK(plan_removal(home.paths, "vm.example.com").empty());
  CHECK(plan_removal(home.paths, "").empty());
}

TEST_CASE("install: installing and removing leaves odd configurations byte for byte as they were") {
  const std::string configs[] = {
      "",
      "\n",
      "Host a",
      "Host a\r\n  User b\r\n",
      "\r\n",
      "# only a comment",
      "\xef\xbb\xbf"
      "Host a\n",
      "Host a\n\n\n\n",
      "Include other\n",
      std::string("a\0b\n", 4),
      "\xff\xfe\n",
      "  \t \n",
      "Match all\n  User \"x y\"\n",
      std::string(100000, 'x') + "\n",
      "\r",
      "\n\r",
  };
  for (const std::string& before : configs) {
    for (const mode_t mode : {0600U, 0644U, 0400U}) {
      const Home home;
      put_file(home.config, before, mode);
      home.install();
      CHECK(content_of(home.config).ends_with(before));
      CHECK(mode_of(home.config) == mode);
      home.install("other.example.com");
      home.remove();
      CHECK(content_of(home.config) != before);
      home.remove("OTHER.example.com");
      CHECK(content_of(home.config) == before);
      CHECK(mode_of(home.config) == mode);
      CHECK(home.file_count() == 1);
    }
  }
}

TEST_CASE("install: lines that a person added stay") {
  const Home home;
  home.install();
  put_file(home.config, content_of(home.config) + "Host mine\n");
  put_file(home.own, content_of(home.own) + "\nHost theirs\n");
  home.remove();
  CHECK(content_of(home.config) == "Include " + home.own + "\nHost mine\n");
  CHECK(content_of(home.own).ends_with("\nHost theirs\n"));
}

TEST_CASE("install: a config that we made stays when it holds more by now") {
  const Home home;
  home.install();
  put_file(home.config, content_of(home.config) + "Host mine\n");
  home.remove();
  CHECK(content_of(home.config) == "Host mine\n");
  CHECK(home.file_count() == 1);
}

TEST_CASE("install: all blocks are removed at once") {
  const Home home;
  put_file(home.config, "Host mine\n");
  for (const std::string host : {"a.example.com", "b.example.com/x", "*.example.com"})
    home.install(host);
  home.remove("");
  CHECK(content_of(home.config) == "Host mine\n");
  CHECK(home.file_count() == 1);
}

TEST_CASE("install: an Include left alone is removed") {
  const Home home;
  home.install();
  fs::remove(home.own);
  home.remove();
  CHECK(content_of(home.config).empty());
}

TEST_CASE("install: links are written through and stay links") {
  const Home home;
  const std::string target = home.scratch.path() + "/dotfiles/ssh_config";
  put_file(target, "Host mine\n", 0640);
  fs::create_directory(home.paths.ssh_directory);
  fs::create_symlink("../dotfiles/ssh_config", home.config);
  home.install();
  CHECK(fs::is_symlink(home.config));
  CHECK(content_of(target) == "Include " + home.own + "\nHost mine\n");
  CHECK(mode_of(target) == 0640);
  home.remove();
  CHECK(fs::is_symlink(home.config));
  CHECK(content_of(target) == "Host mine\n");
}

TEST_CASE("install: a file that is not the user's own is refused, and nothing is written") {
  const Home home;
  fs::create_directory(home.paths.ssh_directory);
  SUBCASE("a link to nothing") {
    fs::create_symlink("nowhere", home.config);
  }
  SUBCASE("a directory") {
    fs::create_directory(home.config);
  }
  SUBCASE("a FIFO") {
    REQUIRE(::mkfifo(home.config.c_str(), 0600) == 0);
  }
  SUBCASE("a large file") {
    put_file(home.config, std::string(5 << 20, 'x'));
  }
  SUBCASE("a file of another user") {
    if (::geteuid() == 0) {
      put_file(home.config, "");
      REQUIRE(::chown(home.config.c_str(), 65534, 65534) == 0);
    } else {
      fs::create_symlink("/etc/passwd", home.config);
    }
  }
  CHECK_THROWS_AS(plan_install(home.paths, "vm.example.com", block), Error);
  CHECK(home.file_count() == 1);
}

TEST_CASE("install: a file that changed after the plan is left alone") {
  const Home home;
  put_file(home.config, "Host a\n");
  const auto plan = plan_install(home.paths, "vm.example.com", block);
  put_file(home.config, "Host b\n");
  CHECK(failure(plan) == "cannot edit " + home.config + ": it changed in the meantime");
  CHECK(content_of(home.config) == "Host b\n");

  fs::remove(home.own);
  fs::remove(home.config);
  const auto creation = plan_install(home.paths, "vm.example.com", block);
  put_file(home.config, "");
  CHECK(failure(creation) == "cannot edit " + home.config + ": it changed in the meantime");
}

TEST_CASE("install: files that a killed mayfly left are removed") {
  const Home home;
  CHECK_NOTHROW(clear_leftovers(home.paths));
  const std::string elsewhere = home.scratch.path() + "/dotfiles";
  put_file(elsewhere + "/config", "Host a\n");
  fs::create_directory(home.paths.ssh_directory);
  fs::create_symlink(elsewhere + "/config", home.config);
  for (const std::string& folder : {home.paths.ssh_directory, elsewhere})
    put_file(folder + "/.mayfly-0123456789abcdef.tmp", "half a fi");
  clear_leftovers(home.paths);
  CHECK(home.file_count() == 1);
  CHECK(std::distance(fs::directory_iterator(elsewhere), {}) == 1);
}

TEST_CASE("install: an empty host is refused") {
  const Home home;
  CHECK_THROWS_AS(plan_install(home.paths, "", block), Error);
}

TEST_CASE("preview: names each file and shows what changes in it") {
  const Home home;
  put_file(home.config, "Host a\n");
  home.install("a.example.com");
  const auto plan = plan_install(home.paths, "vm.example.com", "Host \x1b[2J\n");
  CHECK(preview(plan) == "edit " + home.own +
                             "\n"
                             "+\n"
                             "+# mayfly: begin vm.example.com\n"
                             "+Host \\x1b[2J\n"
                             "+# mayfly: end vm.example.com\n");
  CHECK(preview(plan_removal(home.paths, "a.example.com"))
            .starts_with("edit " + home.config + "\n-Include " + home.own + "\nremove " + home.own +
                         "\n-# Written by"));
  CHECK(preview({}).empty());
}
