// Browser logins under way: sessions that applications started, and codes that prove a login to
// them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

namespace edge {

// A login that the team domain vouches for and the application has not seen yet.
struct LoginCode {
  std::string application;
  std::string email;
  bool exchanged = false;  // by an org token, without a form
};

class Logins {
 public:
  std::string start_session();
  bool has_session(const std::string& session) const { return sessions_.contains(session); }
  std::string issue(LoginCode code);
  std::optional<LoginCode> redeem(const std::string& code);  // once

 private:
  std::set<std::string> sessions_;
  std::map<std::string, LoginCode> codes_;
};

}  // namespace edge
