#include "access/core/lock.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "access/core/error.hpp"
#include "access/core/forked_child.hpp"
#include "access/core/interrupt.hpp"
#include "access/core/scratch_directory.hpp"

namespace mayfly {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;
using testing::content_of;
using testing::ForkedChild;
using testing::is_there;
using testing::Line;
using testing::put;
using Names = std::vector<std::string>;

constexpr auto base = "vm.example.com-0a1b-token";

struct Directory {
  testing::ScratchDirectory scratch;
  StateDirectory state = StateDirectory::open(scratch.path());
  std::string lock = scratch / (std::string(base) + ".lock");
  std::string url = scratch / (std::string(base) + ".url");

  std::optional<LoginLock> wait(const LockWait& how = {}) const {
    return wait_for_login_lock(state, base, how);
  }
  // Whether the lock can be had without waiting; it is given back.
  bool is_free() const {
    try {
      return wait({.timeout = 0ms}).has_value();
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::login_needed);
      return false;
    }
  }
  void age_lock(std::chrono::seconds by) const {
    const timespec then{system_clock::to_time_t(system_clock::now() - by), 0};
    const timespec times[] = {then, then};
    REQUIRE(::utimensat(AT_FDCWD, lock.c_str(), times, 0) == 0);
  }
};

// A wait that says 'w' once it waits for somebody.
LockWait telling(const Line& line) {
  return {.satisfied =
              [&line, told = std::make_shared<bool>(false)] {
                if (!std::exchange(*told, true)) line.tell('w');
                return false;
              },
          .timeout = 20s};
}

// Gets the lock, says 'g', and holds it until it hears something; then it lives on until it hears
// again.
ForkedChild holder_of(const Directory& directory) {
  return ForkedChild([&directory](const Line& line) {
    auto lock = directory.wait(telling(line));
    line.tell('g');
    line.hear();
    lock.reset();
    line.tell('r');
    return line.hear() == 'x' ? 0 : 1;
  });
}

ForkedChild bystander() {
  return ForkedChild([](const Line& line) { return static_cast<int>(line.hear()); });
}

// As cloudflared 2026.8.2 computes it: btime * 1000 + starttime * 1000 / USER_HZ.
long long cloudflared_start_time(pid_t pid) {
  long long boot = -1, ticks = -1;
  std::ifstream stat("/proc/stat");
  for (std::string word; stat >> word;) {
    if (word == "btime") stat >> boot;
  }
  const std::string fields = content_of(fmt::format("/proc/{}/stat", pid));
  std::sscanf(fields.c_str() + fields.rfind(')') + 1,
              " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld",
              &ticks);
  return boot * 1000 + ticks * 1000 / ::sysconf(_SC_CLK_TCK);
}

// As Go's encoder writes it, without flock.
std::string cloudflared_lock(pid_t pid, long long start_time) {
  return fmt::format("{{\"pid\":{},\"start_time\":{}}}\n", pid, start_time);
}

TEST_SUITE("core/lock") {
  TEST_CASE("the lock is what cloudflared reads, and goes away") {
    const Directory directory;
    {
      const auto lock = directory.wait();
      REQUIRE(lock);
      const auto content = nlohmann::json::parse(content_of(directory.lock));
      CHECK(content.size() == 2);
      CHECK(content.at("pid") == ::getpid());
      CHECK(content.at("start_time") == cloudflared_start_time(::getpid()));
      CHECK(testing::mode_of(directory.lock) == 0600);
      CHECK(directory.state.list() == Names{std::string(base) + ".lock"});
    }
    CHECK(directory.state.list().empty());
  }

  TEST_CASE("the start time of a process") {
    const auto now_ms = [] {
      return std::chrono::duration_cast<std::chrono::milliseconds>(
                 system_clock::now().time_since_epoch())
          .count();
    };
    const auto before = now_ms();
    ForkedChild child = bystander();
    const auto after = now_ms();
    const auto start = process_start_time_ms(child.pid());
    REQUIRE(start);
    CHECK(*start == cloudflared_start_time(child.pid()));
    // The time of boot is known in whole seconds, rounded down; the clock ticks every 10 ms.
    CHECK(*start >= before - 1100);
    CHECK(*start <= after + 100);
    child.kill_unreaped();
    CHECK_FALSE(process_start_time_ms(child.pid()));  // a zombie does nothing any more
    const pid_t pid = child.pid();
    child.kill();
    CHECK_FALSE(process_start_time_ms(pid));
    CHECK_FALSE(process_start_time_ms(0));
    CHECK_FALSE(process_start_time_ms(-1));
  }

  TEST_CASE("a process whose name looks like the fields behind it") {
    for (const char* name : {"a) R 1 2 3", "a\nb", "((", "a b c"}) {
      ForkedChild child([name](const Line& line) {
        ::prctl(PR_SET_NAME, name);
        line.tell('n');
        return static_cast<int>(line.hear());
      });
      REQUIRE(child.hear() == 'n');
      CHECK(process_start_time_ms(child.pid()) == cloudflared_start_time(child.pid()));
    }
  }

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

  TEST_CASE("cloudflared's lock is respected while its process lives") {
    const Directory directory;
    ForkedChild cloudflared = bystander();
    const long long start = cloudflared_start_time(cloudflared.pid());
    for (const long long shift : {0, 1000, -1000}) {
      put(directory.lock, cloudflared_lock(cloudflared.pid(), start + shift));
      CHECK_FALSE(directory.is_free());
      directory.age_lock(9min + 50s);
      CHECK_FALSE(directory.is_free());
      CHECK(content_of(directory.lock) == cloudflared_lock(cloudflared.pid(), start + shift));
    }
  }

  TEST_CASE("cloudflared's lock is taken over when it is stale") {
    const Directory directory;
    ForkedChild cloudflared = bystander();
    const pid_t pid = cloudflared.pid();
    const long long start = cloudflared_start_time(pid);

    SUBCASE("of another process with the same number") {
      for (const long long shift : {1001, -1001, 60'000}) {
        put(directory.lock, cloudflared_lock(pid, start + shift));
        CHECK(directory.is_free());
      }
    }
    SUBCASE("older than ten minutes") {
      put(directory.lock, cloudflared_lock(pid, start));
      directory.age_lock(10min + 1s);
      CHECK(directory.is_free());
    }
    SUBCASE("of a process that is gone") {
      cloudflared.kill();
      put(directory.lock, cloudflared_lock(pid, start));
      CHECK(directory.is_free());
    }
    SUBCASE("of a process that nobody has reaped") {
      cloudflared.kill_unreaped();
      put(directory.lock, cloudflared_lock(pid, start));
      CHECK(directory.is_free());
    }
    SUBCASE("one that cannot be read") {
      for (const std::string& content :
           {std::string(), std::string("\n"), std::string("not json"), std::string("[]"),
            std::string("{}"), fmt::format("{{\"pid\":{}}}", pid),
            fmt::format("{{\"pid\":\"{}\",\"start_time\":{}}}", pid, start),
            fmt::format("{{\"pid\":-1,\"start_time\":{}}}", start),
            fmt::format("{{\"pid\":0,\"start_time\":{}}}", start),
            fmt::format("{{\"pid\":{},\"start_time\":{}}}", (1LL << 32) + pid, start),
            fmt::format("{{\"pid\":{},\"start_time\":-9223372036854775808}}", pid),
            fmt::format("{{\"pid\":{},\"start_time\":1e300}}", pid), std::string(100'000, '[')}) {
        CAPTURE(content.substr(0, 80));
        put(directory.lock, content);
        directory.age_lock(5s);
        CHECK(directory.is_free());
      }
    }
    CHECK_FALSE(is_there(directory.lock));
  }

  TEST_CASE("one that is just being written is not taken for stale") {
    const Directory directory;
    put(directory.lock, "");
    CHECK_FALSE(directory.is_free());
    directory.age_lock(-1h);  // a wrong clock must not make it last
    CHECK(directory.is_free());
  }

  TEST_CASE("a waiter takes over when cloudflared dies") {
    const Directory directory;
    ForkedChild cloudflared = bystander();
    put(directory.lock,
        cloudflared_lock(cloudflared.pid(), cloudflared_start_time(cloudflared.pid())));
    ForkedChild waiter = holder_of(directory);
    REQUIRE(waiter.hear() == 'w');
    cloudflared.kill();
    CHECK(waiter.hear() == 'g');
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

  TEST_CASE("what somebody else has taken over is left to them") {
    const Directory directory;
    auto lock = directory.wait();
    lock->publish_url("https://h.example/ours");
    std::filesystem::remove(directory.lock);
    put(directory.lock, cloudflared_lock(1, 1));
    put(directory.url, "https://h.example/theirs");
    lock.reset();
    CHECK(content_of(directory.lock) == cloudflared_lock(1, 1));
    CHECK(content_of(directory.url) == "https://h.example/theirs");
  }

  TEST_CASE("a lock that moves is held by its new owner only") {
    const Directory directory;
    auto first = directory.wait();
    LoginLock second = std::move(*first);
    first.reset();
    CHECK_FALSE(directory.is_free());
    const auto other = wait_for_login_lock(directory.state, "other", {});
    CHECK(other);
    second = std::move(*wait_for_login_lock(directory.state, "third", {}));
    CHECK(directory.is_free());
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
    // cloudflared's, of a process that started at another time.
    put(directory.lock, fmt::format(R"({{"pid":{},"start_time":1}})", ::getpid()));
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
    put(directory.lock, fmt::format(R"({{"pid":{},"start_time":1}})", ::getpid()));
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

}  // namespace
}  // namespace mayfly
