#include "access/identity/browser_login.hpp"

#include <utility>

#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/identity/detached_login.hpp"
#include "access/system/session_watch.hpp"

namespace mayfly {

StoredToken BrowserLogin::log_in(const Url& url, const Application& application,
                                 std::vector<LoginLock> locks) const {
  const auto stop = [&] { parts_.logouts.stop_after_logout(url, application); };
  if (parts_.options.browser == CredentialOptions::Browser::attached)
    return log_in_here(url, application, locks, {.stop = stop, .waiting = parts_.prompt.waiting});
  log_in_detached(url, application, locks);
  auto token = load_app_token(parts_.state, application, parts_.options.now());
  stop();
  if (!token) throw login_needed(url, "the token of the login is gone");
  return *std::move(token);
}

void BrowserLogin::log_in_detached(const Url& url, const Application& application,
                                   std::vector<LoginLock>& locks) const {
  const SessionWatch session;
  const auto stop = [&] {
    parts_.logouts.stop_after_logout(url, application);
    if (session.has_ended())
      throw login_needed(url, "the session in which the last one began has ended");
  };
  const PersonWaitedFor scope(parts_.prompt.waited);
  parts_.options.close_connections();
  run_detached_login({.take_over =
                          [&] {
                            for (LoginLock& one : locks) one.take_over();
                          },
                      .log_in =
                          [&](const std::function<void()>& leave) {
                            std::vector<LoginLock> held = std::move(locks);
                            const auto stop_or_leave = [&] {
                              stop();
                              leave();
                            };
                            // The command shows the wait.
                            log_in_here(url, application, held,
                                        {.stop = stop_or_leave, .waiting = [](auto) {}});
                          },
                      .waiting = parts_.prompt.waiting,
                      .patience = parts_.options.transfer.patience});
}

StoredToken BrowserLogin::log_in_here(const Url& url, const Application& application,
                                      std::vector<LoginLock>& locks, const Steps& steps) const {
  const TransferKey key;
  const std::string page = login_url(url, application, key.public_key(), parts_.options.transfer);
  for (LoginLock& one : locks) try {
      one.publish_url(page);
    } catch (const Error& error) {
      log(LogLevel::warn, "login URL not shown to others", {{"reason", error.message()}});
    }
  steps.stop();
  parts_.prompt.show(page);
  const TokenPair tokens = await_tokens(key, steps);
  std::optional<StoredToken> token;
  parts_.logouts.store_login(url, application, [&] {
    token = save_tokens(parts_.state, application, tokens, parts_.options.now());
  });
  return *std::move(token);
}

TokenPair BrowserLogin::await_tokens(const TransferKey& key, const Steps& steps) const {
  const PersonWaitedFor scope(parts_.prompt.waited);
  return fetch_transfer(parts_.send, key, parts_.options.transfer, [&](std::chrono::seconds left) {
    steps.stop();
    steps.waiting(left);
  });
}

}  // namespace mayfly
