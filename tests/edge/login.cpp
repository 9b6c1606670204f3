// Browser logins under way: sessions that applications started, and codes that prove a login to
// them.
#include "login.hpp"

#include "crypto.hpp"

namespace edge {

std::string Logins::start_session() {
  std::string session = "n" + hex(random_bytes(20));
  sessions_.insert(session);
  return session;
}

std::string Logins::issue(LoginCode code) {
  std::string name = base64url(random_bytes(24));
  codes_[name] = std::move(code);
  return name;
}

std::optional<LoginCode> Logins::redeem(const std::string& code) {
  const auto found = codes_.find(code);
  if (found == codes_.end()) return std::nullopt;
  LoginCode login = std::move(found->second);
  codes_.erase(found);
  return login;
}

}  // namespace edge
