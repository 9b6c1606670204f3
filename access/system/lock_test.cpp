// A login's lock among processes of ours.
#include "access/testing/lock.hpp"

#include <nlohmann/json.hpp>

#include "access/system/interrupt.hpp"

using namespace mayfly;
using namespace mayfly::lock_test;

TEST_SUITE("core/lock") {
  TEST_CASE("a second process waits until the first one lets go") {
    const Directory directory;
    ForkedChild first = holder_of(directory);
    REQUIRE(first.hear() == 'g');
    ForkedChild second = holder_of(directory);
    REQUIRE(second.hear() == 'w');
    CHECK_FALSE(directory.is_free());
    first.tell('l');
    REQUIRE(first.hear() == 'r');
    // The first one still lives: its pid must not keep the lock.
    CHECK(second.hear() == 'g');
    CHECK_FALSE(directory.is_free());
    first.tell('x');
    second.tell('l');
    second.tell('x');
    CHECK(first.exit_code() == 0);
    CHECK(second.exit_code() == 0);
    CHECK(directory.state.list().empty());
  }

  TEST_CASE("a second process gets it when the first one is killed") {
    const Directory directory;
    ForkedChild first = holder_of(directory);
    REQUIRE(first.hear() == 'g');
    ForkedChild second = holder_of(directory);
    REQUIRE(second.hear() == 'w');
    first.kill_unreaped();
    CHECK(second.hear() == 'g');
  }

  TEST_CASE("a waiter leaves when it has what it waits for") {
    const Directory directory;
    ForkedChild holder = holder_of(directory);
    REQUIRE(holder.hear() == 'g');
    ForkedChild waiter([&](const Line& line) {
      const auto lock = directory.wait({.satisfied = [&] {
        line.tell('w');
        return directory.state.read(base).has_value();
      }});
      return lock ? 1 : 0;
    });
    REQUIRE(waiter.hear() == 'w');
    directory.state.write(base, "token");
    CHECK(waiter.exit_code() == 0);
    CHECK(is_there(directory.lock));
  }

  TEST_CASE("the URL is there for others, and goes with the lock") {
    const Directory directory;
    put(directory.scratch / "other.url", "kept");
    {
      auto lock = directory.wait();
      lock->publish_url("https://h.example/cdn-cgi/access/cli?token=a");
      CHECK(content_of(directory.url) == "https://h.example/cdn-cgi/access/cli?token=a");
      lock->publish_url("https://h.example/second");
      CHECK(content_of(directory.url) == "https://h.example/second");
    }
    CHECK(directory.state.list() == Names{"other.url"});
  }

  TEST_CASE("a URL that an earlier holder left is not taken for the new one's") {
    const Directory directory;
    put(directory.url, "https://h.example/old");
    const auto lock = directory.wait();
    CHECK_FALSE(is_there(directory.url));
  }

  TEST_CASE("something odd in the place of the URL keeps nobody from the lock") {
    const Directory directory;
    std::filesystem::create_directory(directory.url);
    CHECK(directory.is_free());
    CHECK_FALSE(is_there(directory.lock));
  }

  TEST_CASE("a waiter is told pid and URL, once for each") {
    const Directory directory;
    ForkedChild cloudflared = bystander();
    put(directory.lock,
        cloudflared_lock(cloudflared.pid(), cloudflared_start_time(cloudflared.pid())));
    int looks = 0;
    std::vector<std::pair<long, std::string>> notices;
    const auto lock = directory.wait(
        {.satisfied =
             [&] {
               ++looks;
               if (looks == 2) put(directory.url, "https://h.example/1\n");
               if (looks == 4) put(directory.url, " https://h.example/2 ");
               if (looks == 5) put(directory.url, "");
               return looks == 7;
             },
         .notice = [&](long pid, std::string_view url) { notices.emplace_back(pid, url); }});
    CHECK_FALSE(lock);
    REQUIRE(notices.size() == 2);
    CHECK(notices[0].first == cloudflared.pid());
    CHECK(notices[0].second == "https://h.example/1");
    CHECK(notices[1].second == "https://h.example/2");
  }

  TEST_CASE("a URL file that cannot be read does not end the wait") {
    const Directory directory;
    ForkedChild holder = holder_of(directory);
    REQUIRE(holder.hear() == 'g');
    std::filesystem::create_symlink("elsewhere", directory.url);
    bool told = false;
    int looks = 0;
    CHECK_FALSE(directory.wait({.satisfied = [&] { return ++looks == 3; },
                                .notice = [&](long, std::string_view) { told = true; }}));
    CHECK_FALSE(told);
  }

  TEST_CASE("the wait ends after its timeout") {
    const Directory directory;
    ForkedChild holder = holder_of(directory);
    REQUIRE(holder.hear() == 'g');
    try {
      directory.wait({.timeout = 300ms});
      FAIL_CHECK("nothing was thrown");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::login_needed);
      CHECK(error.message().find(std::to_string(holder.pid())) != std::string::npos);
      CHECK_FALSE(error.hint().empty());
    }
    CHECK(is_there(directory.lock));
  }

  TEST_CASE("a wait that is too long names what is waited for") {
    const Directory directory;
    ForkedChild holder = holder_of(directory);
    REQUIRE(holder.hear() == 'g');
    const auto error_of = [&](LockWait::Work work) {
      try {
        directory.wait({.timeout = 0ms, .work = work});
      } catch (const Error& error) {
        return error;
      }
      return Error(ErrorKind::failed, "nothing was thrown");
    };
    const std::string who = "process " + std::to_string(holder.pid());
    const Error login = error_of(LockWait::Work::login);
    CHECK(login.message() == who + " has been logging in for too long");
    CHECK(login.hint() == "finish its login in the browser, or end that process");
    const Error certificate = error_of(LockWait::Work::certificate);
    CHECK(certificate.message() == who + " has been having a certificate signed for too long");
    CHECK(certificate.hint() == "end that process");
  }

  TEST_CASE("a signal ends the wait") {
    const Directory directory;
    ForkedChild holder = holder_of(directory);
    REQUIRE(holder.hear() == 'g');
    ForkedChild waiter([&](const Line& line) {
      ::signal(SIGTERM, SIG_DFL);
      catch_interrupts();
      try {
        directory.wait(telling(line));
      } catch (const Error& error) {
        return static_cast<int>(error.kind());
      }
      return 0;
    });
    REQUIRE(waiter.hear() == 'w');
    ::kill(waiter.pid(), SIGTERM);
    CHECK(waiter.exit_code() == static_cast<int>(ErrorKind::login_needed));
  }

  TEST_CASE("a link or a directory in the lock's place is an error, and stays") {
    const Directory directory;
    put(directory.scratch / "target", "");
    SUBCASE("link") {
      std::filesystem::create_symlink("target", directory.lock);
    }
    SUBCASE("directory") {
      std::filesystem::create_directory(directory.lock);
    }
    CHECK_THROWS_AS(directory.wait({.timeout = 0ms}), Error);
    CHECK(is_there(directory.lock));
    CHECK(is_there(directory.scratch / "target"));
  }

  TEST_CASE("no name leaves the directory") {
    const Directory directory;
    const auto state = StateDirectory::open(directory.scratch / "state");
    CHECK_THROWS_AS(wait_for_login_lock(state, "../x", {}), Error);
    CHECK_FALSE(is_there(directory.scratch / "x.lock"));
  }

  TEST_CASE("what a login left behind is taken away, what a living one holds is not") {
    const Directory directory;
    CHECK(remove_leftover_lock(directory.state, base) == LeftoverLock::none);
    {
      auto held = directory.wait();
      held->publish_url("https://vm.example.com/cdn-cgi/access/cli");
      CHECK(remove_leftover_lock(directory.state, base) == LeftoverLock::held);
      CHECK(is_there(directory.lock));
      CHECK(is_there(directory.url));
    }
    put(directory.lock, fmt::format(R"({{"pid":{},"start_time":1}})", pid_without_lock()));
    put(directory.url, "https://vm.example.com/");
    CHECK(remove_leftover_lock(directory.state, base) == LeftoverLock::removed);
    CHECK(directory.state.list().empty());
    put(directory.url, "https://vm.example.com/");
    CHECK(remove_leftover_lock(directory.state, base) == LeftoverLock::removed);
    CHECK(directory.state.list().empty());
  }

  TEST_CASE("a look at a lock tells its holder and takes nothing away") {
    using State = LockHolder::State;
    const Directory directory;
    CHECK(look_at_lock(directory.state, base).state == State::none);
    {
      const auto held = directory.wait();
      const LockHolder holder = look_at_lock(directory.state, base);
      CHECK(holder.state == State::alive);
      CHECK(holder.pid == ::getpid());
    }
    put(directory.lock, fmt::format(R"({{"pid":{},"start_time":1}})", pid_without_lock()));
    CHECK(look_at_lock(directory.state, base).state == State::gone);
    CHECK(is_there(directory.lock));
  }

  TEST_CASE("of two hundred processes one at a time holds it") {
    constexpr int processes = 200;
    const Directory directory;
    const std::string counter = directory.scratch / "counter";
    const std::string inside = directory.scratch / "inside";
    put(counter, "0");
    std::vector<ForkedChild> children;
    for (int i = 0; i < processes; ++i) {
      children.emplace_back([&](const Line& line) {
        line.hear();
        const auto lock = directory.wait();
        const Descriptor alone(::open(inside.c_str(), O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!alone) return 1;
        put(counter, std::to_string(std::stoi(content_of(counter)) + 1));
        ::unlink(inside.c_str());
        return 0;
      });
    }
    for (const ForkedChild& child : children) child.tell('g');
    for (ForkedChild& child : children) CHECK(child.exit_code() == 0);
    CHECK(content_of(counter) == std::to_string(processes));
    CHECK(directory.state.list() == Names{"counter"});
  }
}
