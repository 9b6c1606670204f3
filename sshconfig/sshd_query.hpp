// Asks sshd whether it accepts a configuration, and for its settings.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::sshconfig {

// The effective settings that sshd -T prints (sshd(8)).
class SshdSettings {
 public:
  // Returns the value of a keyword, in lower case, or "" if it has none or "none".
  std::string value(std::string_view keyword) const;
  // Returns the values of a keyword that may be repeated, such as allowusers.
  const std::vector<std::string>& values(std::string_view keyword) const;

  void add(std::string_view keyword, std::string_view value);

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> settings_;
};
SshdSettings parse_sshd_settings(std::string_view text);

struct Sshd {
  std::string program;  // absolute, because sshd demands it; "" if there is none
  std::string config;
};

// Returns the first sshd in the directories of PATH and in those where systems have it, or "".
std::string find_sshd(std::string_view path);
// Returns "OpenSSH_9.2p1", or "" if the program does not say.
std::string sshd_version(const Sshd& sshd);
// Returns the first line with which sshd -t refuses the configuration, or "" if it accepts it.
std::string sshd_complaint(const Sshd& sshd);
// Returns the settings for a user who connects from this machine, as a tunnel does; for "", those
// outside of every Match. Throws Error(failed) if sshd does not say, and
// Error(usage) for a text that is no user name.
SshdSettings ask_sshd(const Sshd& sshd, const std::string& user);

}  // namespace mayfly::sshconfig
