#include "access/core/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "access/core/error.hpp"
#include "access/core/interrupt.hpp"
#include "access/core/json.hpp"
#include "access/core/temporary_file.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

using std::chrono::milliseconds;

// protocol.md section 5: when cloudflared takes a lock for stale.
constexpr long long start_time_tolerance_ms = 1000;
constexpr auto cloudflared_lock_age = std::chrono::minutes(10);

std::optional<long long> boot_time_seconds() {
  std::ifstream stat("/proc/stat");
  for (std::string line; std::getline(stat, line);) {
    if (line.starts_with("btime ")) return std::atoll(line.c_str() + 6);
  }
  return std::nullopt;
}

struct Owner {
  long pid = 0;
  long long start_time_ms = 0;
};

std::optional<Owner> parse_owner(std::string_view content) {
  const auto json = parse_json(content, {.max_bytes = 4096, .max_depth = 2});
  if (!json) return std::nullopt;
  const auto pid = integer_member(*json, "pid");
  const auto start = integer_member(*json, "start_time");
  if (!pid || !start || *pid <= 0 || *pid > INT32_MAX) return std::nullopt;
  return Owner{static_cast<long>(*pid), *start};
}

bool is_alive(const Owner& owner) {
  const auto start = process_start_time_ms(owner.pid);
  return start && std::llabs(*start - owner.start_time_ms) <= start_time_tolerance_ms;
}

struct Inode {
  dev_t device;
  ino_t number;
  bool operator==(const Inode&) const = default;
};

std::optional<Inode> inode_of(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return std::nullopt;
  return Inode{status.st_dev, status.st_ino};
}

std::optional<Inode> inode_at(int directory, const std::string& name) {
  struct stat status {};
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return Inode{status.st_dev, status.st_ino};
}

enum class Holder { gone, alive };

// Looks at a lock that is there, and takes a stale one away.
Holder inspect(const StateDirectory& directory, const std::string& name, long& pid) {
  const Descriptor file(::openat(directory.descriptor(), name.c_str(),
                                 O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT) return Holder::gone;
  if (!file) throw system_error("cannot open " + directory.path_of(name), errno);
  const bool nobody_holds_it = ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;
  char text[4096];
  const ssize_t size = ::pread(file.get(), text, sizeof text, 0);
  const auto owner = parse_owner({text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))});
  pid = owner ? owner->pid : 0;
  if (!nobody_holds_it) return Holder::alive;
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw system_error("cannot look at " + name, errno);
  const auto age =
      std::chrono::system_clock::now() - std::chrono::system_clock::from_time_t(status.st_mtime);
  // Not flock()ed but alive: cloudflared's, which never lets go of it.
  if (owner && is_alive(*owner) && age < cloudflared_lock_age) return Holder::alive;
  // Only the path that still is the inode whose flock is ours may go.
  if (inode_at(directory.descriptor(), name) == inode_of(file.get())) directory.remove(name);
  return Holder::gone;
}

// Wakes the waiter when something happens in the directory, at the latest after 250 ms: the death
// of a holder is no event of the directory.
class DirectoryWatch {
 public:
  explicit DirectoryWatch(const StateDirectory& directory)
      : notifier_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    const std::string path = fmt::format("/proc/self/fd/{}", directory.descriptor());
    if (notifier_) {
      ::inotify_add_watch(notifier_.get(), path.c_str(), IN_MOVED_TO | IN_DELETE | IN_CLOSE_WRITE);
    }
  }

  void wait() const {
    pollfd watched[] = {{notifier_.get(), POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
    ::poll(watched, 2, 250);
    if (interrupted_by() != 0) {
      throw Error(ErrorKind::login_needed, "stopped while waiting for another login to finish");
    }
    char events[4096];
    while (notifier_ && ::read(notifier_.get(), events, sizeof events) > 0) {
    }
  }

 private:
  Descriptor notifier_;
};

}  // namespace

std::optional<long long> process_start_time_ms(long pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The name in parentheses may hold anything; field 3 follows the last ")".
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  long long ticks = 0;
  const auto boot = boot_time_seconds();
  if (!(fields >> ticks) || !boot) return std::nullopt;
  return (*boot + ticks / ::sysconf(_SC_CLK_TCK)) * 1000;
}

struct LoginLock::Held {
  const StateDirectory& directory;
  std::string base;
  Descriptor file;

  Held(const StateDirectory& in, std::string name, Descriptor lock_file)
      : directory(in), base(std::move(name)), file(std::move(lock_file)) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    const std::string lock = base + ".lock";
    // cloudflared takes a lock over after ten minutes: what is there may no longer be ours.
    if (inode_at(directory.descriptor(), lock) != inode_of(file.get())) return;
    ::unlinkat(directory.descriptor(), (base + ".url").c_str(), 0);
    ::unlinkat(directory.descriptor(), lock.c_str(), 0);
  }
};

LoginLock::LoginLock(std::unique_ptr<Held> held) : held_(std::move(held)) {}
LoginLock::LoginLock(LoginLock&&) noexcept = default;
LoginLock& LoginLock::operator=(LoginLock&&) noexcept = default;
LoginLock::~LoginLock() = default;

void LoginLock::publish_url(std::string_view url) {
  held_->directory.write(held_->base + ".url", url);
}

namespace {

// The lock file appears with its content in it and flock()ed: cloudflared takes an empty one for
// stale.
Descriptor create_if_free(const StateDirectory& directory, const std::string& name) {
  if (inode_at(directory.descriptor(), name)) return {};
  TemporaryFile file(directory.descriptor(), directory.path());
  file.write(fmt::format("{{\"pid\":{},\"start_time\":{}}}\n", ::getpid(),
                         process_start_time_ms(::getpid()).value_or(0)));
  if (!file.rename_to_free(name)) return {};
  return file.release();
}

}  // namespace

std::optional<LoginLock> wait_for_login_lock(const StateDirectory& directory, std::string_view base,
                                             const LockWait& wait) {
  const std::string lock = std::string(base) + ".lock";
  const auto deadline = std::chrono::steady_clock::now() + wait.timeout;
  std::optional<DirectoryWatch> watch;
  std::string shown_url;
  for (;;) {
    if (Descriptor file = create_if_free(directory, lock)) {
      return LoginLock(
          std::make_unique<LoginLock::Held>(directory, std::string(base), std::move(file)));
    }
    // Watching starts before looking, so that nothing happens unseen in between.
    if (!watch) watch.emplace(directory);
    if (wait.satisfied()) return std::nullopt;
    long pid = 0;
    if (inspect(directory, lock, pid) == Holder::gone) continue;
    if (const auto url = directory.read(std::string(base) + ".url", 65536);
        url && !url->content.empty() && url->content != shown_url) {
      shown_url = url->content;
      wait.notice(pid, trim(std::string_view(shown_url).substr(0, shown_url.find('\n'))));
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      throw Error(ErrorKind::login_needed,
                  fmt::format("process {} has been logging in for too long", pid),
                  "finish its login in the browser, or end that process");
    }
    watch->wait();
  }
}

}  // namespace mayfly
