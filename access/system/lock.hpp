// One login at a time: the lock that mayfly and cloudflared share (docs/protocol.md section 5).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "access/system/files.hpp"

namespace mayfly {

// While it lives, "<base>.lock" exists, holds {"pid":N,"start_time":<ms>} as cloudflared reads it
// and is flock()ed, so that it is free the moment its holder dies. Gone, with "<base>.url", at
// destruction. The StateDirectory outlives it.
class LoginLock {
 public:
  LoginLock(LoginLock&&) noexcept;
  LoginLock& operator=(LoginLock&&) noexcept;
  ~LoginLock();

  // "<base>.url", which other waiters show.
  void publish_url(std::string_view url);

 private:
  friend std::optional<LoginLock> wait_for_login_lock(const StateDirectory&, std::string_view,
                                                      const struct LockWait&);
  struct Held;
  explicit LoginLock(std::unique_ptr<Held> held);
  std::unique_ptr<Held> held_;
};

struct LockWait {
  // Asked again and again while somebody else holds the lock; true ends the wait without a lock
  // ("the token is there").
  std::function<bool()> satisfied = [] { return false; };
  // Told once for each URL that a holder publishes, so that the person can finish that login.
  std::function<void(long pid, std::string_view url)> notice = [](long, std::string_view) {};
  // Told several times a second how long that login will still be waited for.
  std::function<void(std::chrono::seconds left)> waiting = [](std::chrono::seconds) {};
  std::chrono::milliseconds timeout = std::chrono::minutes(10);
  enum class Work { login, certificate } work = Work::login;  // of whoever holds the lock
};

// base is a file_name(). Nothing when wait.satisfied() became true. Locks of dead processes, and of
// cloudflared older than 10 minutes, are taken over. Wakes by inotify, and looks again every 250 ms
// at the latest. Throws Error(login_needed) after the timeout or when interrupted (interrupt.hpp).
std::optional<LoginLock> wait_for_login_lock(const StateDirectory& directory, std::string_view base,
                                             const LockWait& wait);

struct LockHolder {
  enum class State { none, gone, alive } state = State::none;
  long pid = 0;  // 0 when it is not known
};
// Who holds "<base>.lock"; a stale one stays where it is. Throws Error(failed).
LockHolder look_at_lock(const StateDirectory& directory, std::string_view base);

enum class LeftoverLock { none, removed, held };
// Takes "<base>.lock" and "<base>.url" away when the login they belong to is over; both stay while
// its process lives. Throws Error(failed) when they cannot be removed.
LeftoverLock remove_leftover_lock(const StateDirectory& directory, std::string_view base);

// Start of a process in ms since the epoch, as cloudflared's library computes it (btime of
// /proc/stat and field 22 of /proc/PID/stat, in clock ticks); nothing when there is no such process
// or it is a zombie.
std::optional<long long> process_start_time_ms(long pid);

}  // namespace mayfly
