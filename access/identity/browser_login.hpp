// The login of cloudflared: the browser leaves both tokens at the transfer service
// (docs/protocol.md section 2).
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "access/core/url.hpp"
#include "access/identity/application.hpp"
#include "access/identity/login_turn.hpp"
#include "access/identity/token_store.hpp"
#include "access/identity/transfer.hpp"
#include "access/system/lock.hpp"

namespace mayfly {

class BrowserLogin {
 public:
  explicit BrowserLogin(const LoginParts& parts) : parts_(parts) {}

  // Shows the login page to the person, waits for the tokens, and stores them. The locks are held
  // meanwhile, by this process or by one that goes on when this one ends (detached_login.hpp).
  // Throws Error(login_needed) if the person does not come, or logs out; Error(network),
  // Error(protocol).
  StoredToken log_in(const Url& url, const Application& application,
                     std::vector<LoginLock> locks) const;

 private:
  struct Steps {
    std::function<void()> stop;  // throws if the login has to end; called about once a second
    std::function<void(std::chrono::seconds left)> waiting;
  };
  void log_in_detached(const Url& url, const Application& application,
                       std::vector<LoginLock>& locks) const;
  StoredToken log_in_here(const Url& url, const Application& application,
                          std::vector<LoginLock>& locks, const Steps& steps) const;
  TokenPair await_tokens(const TransferKey& key, const Steps& steps) const;

  LoginParts parts_;
};

}  // namespace mayfly
