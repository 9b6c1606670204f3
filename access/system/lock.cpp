#include "access/system/lock.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/core/json.hpp"
#include "access/core/text.hpp"
#include "access/system/directory_watch.hpp"
#include "access/system/file_time.hpp"
#include "access/system/interrupt.hpp"
#include "access/system/platform.hpp"
#include "access/system/temporary_file.hpp"

namespace mayfly {
namespace {

using std::chrono::milliseconds;

// docs/protocol.md section 5: when cloudflared takes a lock for stale.
constexpr auto cloudflared_lock_age = std::chrono::minutes(10);
// cloudflared makes an empty file and then looks up what to write into it.
constexpr auto being_written = std::chrono::seconds(1);
// The death of a holder is no event of the directory, so waiters also look without one.
constexpr auto longest_sleep = milliseconds(250);

struct Owner {
  long pid = 0;
  long long start_time_ms = 0;
};

std::optional<Owner> parse_owner(std::string_view content) {
  const auto json = parse_json(content, {.max_bytes = 4096, .max_depth = 2});
  if (!json) return std::nullopt;
  const auto pid = integer_member(*json, "pid");
  const auto start = integer_member(*json, "start_time");
  if (!pid || !start || *pid <= 0 || *pid > INT32_MAX || *start < 0) return std::nullopt;
  return Owner{static_cast<long>(*pid), *start};
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

// docs/protocol.md section 5: whether cloudflared, which does not flock, still holds the lock.
bool cloudflared_holds(const std::optional<Owner>& owner, std::chrono::system_clock::duration age) {
  if (!owner) return age >= age.zero() && age < being_written;
  return age < cloudflared_lock_age && is_running(owner->pid, owner->start_time_ms);
}

// Whether a mayfly wrote the lock on a system that tells no start times. It holds a flock, too.
bool is_of_portable_mayfly(const std::optional<Owner>& owner) {
  return owner && owner->start_time_ms == 0;
}

// A lock that is there.
struct Inspected {
  Descriptor file;  // flock()ed by us when it is stale
  LockHolder holder;
};

Inspected inspect(const StateDirectory& directory, const std::string& name) {
  // Not open for writing: closing it would be an event that wakes all waiters.
  Descriptor file(::openat(directory.descriptor(), name.c_str(),
                           O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT) return {};
  if (!file) throw system_error("cannot open " + directory.path_of(name), errno);
  // Any other error is a file system that cannot tell: then the content decides.
  const bool is_free = ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;
  const bool held = !is_free && errno == EWOULDBLOCK;
  char text[4096];
  const ssize_t size = ::pread(file.get(), text, sizeof text, 0);
  const auto owner = parse_owner({text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))});
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw system_error("cannot look at " + name, errno);
  const auto age = std::chrono::system_clock::now() - modified_at(status);
  const bool was_left = is_free && is_of_portable_mayfly(owner);
  const bool is_alive = held || (!was_left && cloudflared_holds(owner, age));
  return {std::move(file),
          {is_alive ? LockHolder::State::alive : LockHolder::State::gone, owner ? owner->pid : 0}};
}

// Takes a stale one away.
LockHolder clear_when_stale(const StateDirectory& directory, const std::string& name) {
  const Inspected lock = inspect(directory, name);
  // Only the path that still is the inode whose flock is ours may go.
  if (lock.holder.state == LockHolder::State::gone &&
      inode_at(directory.descriptor(), name) == inode_of(lock.file.get()))
    directory.remove(name);
  return lock.holder;
}

}  // namespace

struct LoginLock::Held {
  const StateDirectory& directory;
  std::string base;
  Descriptor file;

  Held(const StateDirectory& in, std::string name, Descriptor lock_file)
      : directory(in), base(std::move(name)), file(std::move(lock_file)) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    const std::string lock = state_name(StateFile::lock, base);
    // cloudflared takes a lock over after ten minutes: what is there may no longer be ours.
    if (inode_at(directory.descriptor(), lock) != inode_of(file.get())) return;
    ::unlinkat(directory.descriptor(), state_name(StateFile::url, base).c_str(), 0);
    ::unlinkat(directory.descriptor(), lock.c_str(), 0);
  }
};

LoginLock::LoginLock(std::unique_ptr<Held> held) : held_(std::move(held)) {}
LoginLock::LoginLock(LoginLock&&) noexcept = default;
LoginLock& LoginLock::operator=(LoginLock&&) noexcept = default;
LoginLock::~LoginLock() = default;

void LoginLock::publish_url(std::string_view url) {
  held_->directory.write(state_name(StateFile::url, held_->base), url);
}

namespace {

// The lock file appears with its content in it and flock()ed: cloudflared takes an empty one for
// stale.
Descriptor create_if_free(const StateDirectory& directory, const std::string& name,
                          std::string_view content) {
  if (inode_at(directory.descriptor(), name)) return {};
  TemporaryFile file(directory.descriptor(), directory.path());
  file.write(content, TemporaryFile::Sync::not_needed);
  if (!file.rename_to_free(name)) return {};
  return file.release();
}

std::string own_content() {
  const pid_t pid = ::getpid();
  return fmt::format("{{\"pid\":{},\"start_time\":{}}}\n", pid,
                     process_start_time_ms(pid).value_or(0));
}

// The URL that the holder published; "" when there is none that can be read.
std::string published_url(const StateDirectory& directory, const std::string& base) {
  try {
    const auto file = directory.read(state_name(StateFile::url, base), 65536);
    if (!file) return {};
    return std::string(trim(std::string_view(file->content).substr(0, file->content.find('\n'))));
  } catch (const Error&) {
    return {};  // it is only for show
  }
}

Error waited_too_long(long pid, LockWait::Work work) {
  const std::string who = pid > 0 ? fmt::format("process {}", pid) : "another process";
  if (work == LockWait::Work::certificate)
    return {ErrorKind::login_needed,
            fmt::format("{} has been having a certificate signed for too long", who),
            "end that process"};
  return {ErrorKind::login_needed, fmt::format("{} has been logging in for too long", who),
          "finish its login in the browser, or end that process"};
}

Error stopped_waiting(LockWait::Work work) {
  const bool is_login = work == LockWait::Work::login;
  return {ErrorKind::login_needed,
          fmt::format("stopped while waiting for another {}",
                      is_login ? "login to finish" : "process to have a certificate signed")};
}

}  // namespace

void LoginLock::take_over() {
  const StateDirectory& directory = held_->directory;
  TemporaryFile file(directory.descriptor(), directory.path());
  file.write(own_content(), TemporaryFile::Sync::not_needed);
  file.rename_over(state_name(StateFile::lock, held_->base));
  held_->file = file.release();
}

std::optional<LoginLock> wait_for_login_lock(const StateDirectory& directory,
                                             std::string_view raw_base, const LockWait& wait) {
  directory.require_directory();
  const std::string base = file_name(raw_base);
  const std::string lock = state_name(StateFile::lock, base);
  const std::string content = own_content();
  const TimeLimit limit(wait.timeout);
  std::optional<DirectoryWatch> watch;
  std::string shown_url;
  for (;;) {
    if (Descriptor file = create_if_free(directory, lock, content)) {
      auto held = std::make_unique<LoginLock::Held>(directory, base, std::move(file));
      ::unlinkat(directory.descriptor(), state_name(StateFile::url, base).c_str(),
                 0);  // an earlier holder's
      return LoginLock(std::move(held));
    }
    // Watching starts before looking, so that nothing happens unseen in between.
    if (!watch) watch.emplace(directory.descriptor());
    if (wait.satisfied()) return std::nullopt;
    const LockHolder holder = clear_when_stale(directory, lock);
    if (holder.state != LockHolder::State::alive) continue;
    if (const auto url = published_url(directory, base); !url.empty() && url != shown_url) {
      shown_url = url;
      wait.notice(holder.pid, shown_url);
    }
    const auto left = limit.left();
    if (left <= left.zero()) throw waited_too_long(holder.pid, wait.work);
    if (!shown_url.empty()) wait.waiting(std::chrono::ceil<std::chrono::seconds>(left));
    watch->wait(std::min(longest_sleep, left));
    if (interrupted_by() != 0) throw stopped_waiting(wait.work);
  }
}

LockHolder look_at_lock(const StateDirectory& directory, std::string_view base) {
  return inspect(directory, state_name(StateFile::lock, base)).holder;
}

LeftoverLock remove_leftover_lock(const StateDirectory& directory, std::string_view base) {
  const std::string lock = state_name(StateFile::lock, base);
  const bool was_there = inode_at(directory.descriptor(), lock).has_value();
  if (was_there && clear_when_stale(directory, lock).state == LockHolder::State::alive)
    return LeftoverLock::held;
  // A URL is published under a lock only: without one it is nobody's.
  const bool had_url = directory.remove(state_name(StateFile::url, base));
  return was_there || had_url ? LeftoverLock::removed : LeftoverLock::none;
}

}  // namespace mayfly
