// A lock file (@PID and @START stand for this process) in the first line, the login URL that its
// holder published in the rest.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <numeric>

#include "access/system/lock.hpp"
#include "access/system/platform.hpp"
#include "fuzz.hpp"
#include "property.hpp"
#include "scratch.hpp"

namespace mayfly::fuzz {
namespace {

std::string replaced(std::string text, std::string_view name, long long value) {
  if (const auto at = text.find(name); at != std::string::npos)
    text.replace(at, name.size(), std::to_string(value));
  return text;
}

std::string with_this_process(std::string_view text) {
  static const long long start = process_start_time_ms(::getpid()).value_or(0);
  return replaced(replaced(std::string(text), "@PID", ::getpid()), "@START", start);
}

// Two minutes old: neither being written just now nor too old for cloudflared.
void set_age(const std::string& path) {
  const timespec time{std::time(nullptr) - 120, 0};
  const timespec times[] = {time, time};
  require(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0, "a time can be set");
}

// Looked at without waiting for it.
void check_leftover(const ScratchState& scratch) {
  const auto found = remove_leftover_lock(scratch.state(), "a");
  require(found != LeftoverLock::none, "there is a lock");
  const bool held = found == LeftoverLock::held;
  require(scratch.holds("a.lock") == held && scratch.holds("a.url") == held,
          "it goes with its URL, or both stay");
}

void check_wait(const ScratchState& scratch, const std::string& content) {
  const LockWait wait{.notice =
                          [](long, std::string_view url) {
                            require(!url.empty() && url.find('\n') == std::string_view::npos,
                                    "a URL is one line");
                          },
                      .timeout = std::chrono::milliseconds(0)};
  const auto taken = result_of({ErrorKind::login_needed}, [&] {
    auto lock = wait_for_login_lock(scratch.state(), "a", wait);
    require(lock.has_value(), "without a token a wait ends with the lock");
    require(!scratch.holds("a.url"), "what an earlier holder published is gone");
    lock->publish_url("https://vm.example.com/");
    return true;
  });
  if (taken) {
    require(!scratch.holds("a.lock") && !scratch.holds("a.url"), "nothing is left behind");
  } else {
    require(scratch.content("a.lock") == content, "a lock that is held is left alone");
    require(content.find(std::to_string(::getpid())) != std::string::npos ||
                content.find("\\u") != std::string::npos ||
                content.find("pid") != std::string::npos,
            "a lock is held by a process that it names");
  }
}

// To stop watching a directory takes the kernel ten milliseconds: one input in 64 does.
bool may_wait(std::string_view input) {
  return std::accumulate(
             input.begin(), input.end(), 0U,
             [](unsigned sum, char c) { return sum * 31 + static_cast<unsigned char>(c); }) %
             64 ==
         0;
}

const Harness harness("lock", [](std::string_view input) {
  static const ScratchState scratch;
  Input lines(input);
  const std::string content = with_this_process(lines.line());
  scratch.put("a.lock", content);
  set_age(scratch / "a.lock");
  scratch.put("a.url", lines.rest());
  may_wait(input) ? check_wait(scratch, content) : check_leftover(scratch);
});

}  // namespace
}  // namespace mayfly::fuzz
