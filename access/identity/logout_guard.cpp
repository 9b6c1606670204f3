#include "access/identity/logout_guard.hpp"

#include <algorithm>

#include "access/identity/login_options.hpp"
#include "access/identity/place.hpp"
#include "access/system/state_lock.hpp"

namespace mayfly {

bool LogoutGuard::has_logged_out(const Url& url,
                                 const std::optional<Application>& application) const {
  const auto places = places_of(url, application);
  if (application) return watch_.has_logged_out(places);
  // A login at one of these places does not end the logout at another.
  return std::ranges::any_of(
      places, [&](const std::string& place) { return watch_.has_logged_out({place}); });
}

bool LogoutGuard::has_seen_logout(const Url& url,
                                  const std::optional<Application>& application) const {
  return watch_.has_seen_logout(places_of(url, application));
}

void LogoutGuard::stop_after_logout(const Url& url, const Application& application) const {
  if (has_logged_out(url, application))
    throw login_needed(url, "you logged out after this command began");
}

void LogoutGuard::store(const Url& url, const Application& application,
                        const std::function<void()>& action) const {
  const StateLock lock(state_);
  stop_after_logout(url, application);
  action();
}

void LogoutGuard::store_login(const Url& url, const Application& application,
                              const std::function<void()>& action) const {
  store(url, application, [&] {
    action();
    // Only here does a logout end: a person's login has stored new tokens.
    watch_.end_logout(places_of(url, application));
  });
}

}  // namespace mayfly
