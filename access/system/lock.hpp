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

// While the object lives, "<base>.lock" exists, contains {"pid":N,"start_time":<ms>} as cloudflared
// reads it, and is flock()ed, so that the lock is free as soon as its holder dies. The destructor
// removes it and "<base>.url". The StateDirectory must outlive it.
class LoginLock {
 public:
  LoginLock(LoginLock&&) noexcept;
  LoginLock& operator=(LoginLock&&) noexcept;
  ~LoginLock();

  // Writes "<base>.url", which waiting processes show.
  void publish_url(std::string_view url);

  // Makes the lock that of this process, which was forked from its holder. The copy of the holder
  // no longer removes it. Throws Error(failed).
  void take_over();

 private:
  friend std::optional<LoginLock> wait_for_login_lock(const StateDirectory&, std::string_view,
                                                      const struct LockWait&);
  struct Held;
  explicit LoginLock(std::unique_ptr<Held> held);
  std::unique_ptr<Held> held_;
};

struct LockWait {
  // Called repeatedly while another process holds the lock; true ends the wait without a lock (for
  // example, because the token is there).
  std::function<bool()> satisfied = [] { return false; };
  // Called once for each URL that a holder publishes, so that the person can finish that login.
  std::function<void(long pid, std::string_view url)> notice = [](long, std::string_view) {};
  // Called several times a second with the time that is left of the wait.
  std::function<void(std::chrono::seconds left)> waiting = [](std::chrono::seconds) {};
  std::chrono::milliseconds timeout = std::chrono::minutes(10);
  enum class Work { login, certificate } work = Work::login;  // of the holder
};

// base is a file_name(). Returns nullopt if wait.satisfied() became true. Takes over locks of dead
// processes, and locks of cloudflared that are older than 10 minutes. Wakes at changes of the
// directory, and every 250 ms. Throws Error(login_needed) after the timeout or at an interrupt
// (interrupt.hpp).
std::optional<LoginLock> wait_for_login_lock(const StateDirectory& directory, std::string_view base,
                                             const LockWait& wait);

struct LockHolder {
  enum class State { none, gone, alive } state = State::none;
  long pid = 0;  // 0 if it is unknown
};
// Returns the holder of "<base>.lock", and leaves a stale lock in place. Throws Error(failed).
LockHolder look_at_lock(const StateDirectory& directory, std::string_view base);

enum class LeftoverLock { none, removed, held };
// Removes "<base>.lock" and "<base>.url" unless the process of their login lives. Throws
// Error(failed) if they cannot be removed.
LeftoverLock remove_leftover_lock(const StateDirectory& directory, std::string_view base);

}  // namespace mayfly
