// Logouts that hold: marks in the state directory, by which a process that began before a logout
// learns that it may store no token and begin no login.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "access/system/descriptor.hpp"
#include "access/system/files.hpp"

namespace mayfly {

// The name of the mark that `mayfly logout --all` leaves.
inline constexpr const char* logout_mark_of_all = ".mayfly-logout";
// The name of the mark for one place (place.hpp).
std::string logout_mark(std::string_view place);

// Marks a logout from these places, or from all applications if there are none. Once it returns, no
// process that runs already stores a token there: the caller can remove what is stored. Throws
// Error(failed).
void mark_logout(const StateDirectory& state, const std::vector<std::string>& places);

// The marks as they were when this process began. A mark that is there now and was not there then
// (its content is random, and so no clock is asked) stands for a logout since. A login that began
// after a logout removes the mark, and with it ends the logout for all processes.
class LogoutWatch {
 public:
  // Reads the marks. `state` outlives this.
  explicit LogoutWatch(const StateDirectory& state);

  // Returns whether a person has logged out of one of these places, or of all, since this process
  // began, and has not logged in since. Reads one file name for each place, and one more.
  bool has_logged_out(const std::vector<std::string>& places) const;

  // Holds logouts back until the returned lock is gone, so that what has_logged_out() says stays
  // true while a token is written. Returns none on a file system that cannot lock. Throws
  // Error(failed) after 5 s.
  Descriptor hold() const;

  // A person has logged in: removes the marks that this process knew when it began.
  void end_logout(const std::vector<std::string>& places) const;

 private:
  const StateDirectory& state_;
  std::map<std::string, std::string> known_;  // name and content
};

}  // namespace mayfly
