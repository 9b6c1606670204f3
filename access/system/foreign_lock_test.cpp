// A login's lock as cloudflared makes it, reads it, and leaves it.
#include <nlohmann/json.hpp>

#include "access/system/interrupt.hpp"
#include "access/system/platform.hpp"
#include "access/testing/lock.hpp"

using namespace mayfly;
using namespace mayfly::lock_test;

// Whether a process is the one that made a lock, the portable build cannot tell.
TEST_SUITE("system/foreign_lock" * doctest::skip(platform == Platform::portable)) {
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
}
