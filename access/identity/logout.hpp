// Logouts that hold: marks in the state directory, by which a process that began before a logout
// learns that it may store no token and begin no login.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "access/core/error.hpp"
#include "access/core/state_names.hpp"
#include "access/system/files.hpp"
#include "access/system/state_lock.hpp"

namespace mayfly {

// Returns the name of the mark for one place (place.hpp).
std::string logout_mark(std::string_view place);

// A logout from these places, or from all applications if there are none. A mark holds a random
// line and then the places for which a person has logged in since; those places it spares.
class Logout {
 public:
  // Locks the state, so that no other process stores a token while this lives.
  explicit Logout(const StateDirectory& state);

  // Writes new marks, also without the lock. Call it before the files are removed, so that no
  // process that runs already stores or sends a token, and again afterwards, so that a command
  // which began in between counts as one that began before the logout. Throws Error(failed).
  void mark(const std::vector<std::string>& places) const;
  // Returns why the state could not be locked, so that another process may still store a token.
  const std::optional<Error>& not_locked() const noexcept { return not_locked_; }

 private:
  const StateDirectory& state_;
  std::optional<StateLock> lock_;
  std::optional<Error> not_locked_;
};

// The marks as they were when this process began. A mark that is there now and was not there then
// (its first line is random, and so no clock is asked) stands for a logout since.
class LogoutWatch {
 public:
  // Reads the marks. `state` outlives this.
  explicit LogoutWatch(const StateDirectory& state);

  // Returns whether a person has logged out of one of these places, or of all, since this process
  // began, and has not logged in since. Reads one file name for each place, and one more. Throws
  // Error if a mark that came since then cannot be read.
  bool has_logged_out(const std::vector<std::string>& places) const;
  // As has_logged_out(), but stays true after a login: what this process holds in memory may be
  // older than the logout.
  bool has_seen_logout(const std::vector<std::string>& places) const;

  // A person has logged in and the tokens are stored: ends the logouts that this process knew when
  // it began, for these places alone. The caller holds the StateLock.
  void end_logout(const std::vector<std::string>& places) const;

 private:
  bool has_new_mark(const std::vector<std::string>& places, bool counts_ended) const;

  const StateDirectory& state_;
  std::map<std::string, std::string> known_;  // name and first line
};

}  // namespace mayfly
