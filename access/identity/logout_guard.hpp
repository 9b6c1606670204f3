// Keeps a command that began before a logout from storing tokens and beginning logins (logout.hpp).
#pragma once

#include <functional>
#include <optional>

#include "access/core/url.hpp"
#include "access/identity/application.hpp"
#include "access/identity/logout.hpp"
#include "access/system/files.hpp"

namespace mayfly {

class LogoutGuard {
 public:
  // state outlives it.
  explicit LogoutGuard(const StateDirectory& state) : state_(state), watch_(state) {}

  // Returns whether a person has logged out of the application since this process began, and not
  // in again. Without the application, a logout from any place that the URL may belong to counts.
  bool has_logged_out(const Url& url, const std::optional<Application>& application) const;
  // As has_logged_out(), but stays true after a login.
  bool has_seen_logout(const Url& url, const std::optional<Application>& application) const;
  // Throws Error(login_needed) if has_logged_out().
  void stop_after_logout(const Url& url, const Application& application) const;

  // Runs `action`, which stores tokens; no logout happens meanwhile. Throws as stop_after_logout().
  void store(const Url& url, const Application& application,
             const std::function<void()>& action) const;
  // Like store(), for the tokens of a person's login, which ends the logout.
  void store_login(const Url& url, const Application& application,
                   const std::function<void()>& action) const;

 private:
  const StateDirectory& state_;
  LogoutWatch watch_;
};

}  // namespace mayfly
