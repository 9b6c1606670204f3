// The end of the session in which this program was started.
#pragma once

#include <string>

namespace mayfly {

// Watches the login session that systemd-logind keeps under XDG_SESSION_ID (a desktop, or a
// connection by ssh); without one the shell of the terminal, which is the leader of its session.
// Holds no terminal open. A process that watches may have left the session.
class SessionWatch {
 public:
  // folder: where logind describes each session in a file of its name.
  explicit SessionWatch(std::string folder = "/run/systemd/sessions");

  // Returns false if there was no session at the start.
  bool has_ended() const;

 private:
  std::string file_;  // "" if logind does not know the session
  long leader_ = 0;   // 0 if there is no terminal, or no shell in it
  long long leader_started_ms_ = 0;
};

}  // namespace mayfly
