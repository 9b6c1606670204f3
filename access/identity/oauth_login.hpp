// Obtains the token of Managed OAuth for an application: the stored one, a renewed one, or one from
// a login in the browser on this computer.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "access/core/secret.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/identity/oauth_store.hpp"
#include "access/system/files.hpp"
#include "access/system/lock.hpp"

namespace mayfly {

// The opaque token that goes as "Authorization: Bearer".
struct OauthToken {
  Secret access;
  std::chrono::sys_seconds expires;
  bool renews_itself = false;  // a refresh token is stored beside it
};

// The application, and what OauthLogin needs of the command that asks. The members outlive it.
struct OauthContext {
  const StateDirectory& state;
  const Send& send;
  const Url& url;
  const Application& application;
  std::function<std::chrono::sys_seconds()> now;
  // Throws Error(login_needed) after a logout. Called before each token is sent.
  std::function<void()> stop;
  // Runs an action that stores tokens, and no logout happens meanwhile; or throws as stop() does.
  std::function<void(const std::function<void()>&)> store_renewed, store_logged_in;
  // Waits for the lock of this file. Returns nullopt if satisfied() became true, or if there is not
  // to be a longer wait.
  std::function<std::optional<LoginLock>(const std::string& file,
                                         const std::function<bool()>& satisfied)>
      lock;
};

// How the login reaches the person.
struct OauthPrompt {
  std::function<void(const std::string& page, const std::string& redirect)> show;
  std::function<void(std::chrono::seconds left)> waiting;
  std::function<void()> waited;
  std::chrono::seconds patience;
};

// Returns the stored token unless it expires within half a minute. Uses no network.
std::optional<OauthToken> known_oauth_token(const OauthContext& context);

// Returns a stored token that differs from `refused`, or renews it under the lock. Returns nullopt
// if that is not possible: nothing is stored, or the server does not take the refresh token any
// more, which is removed then. Throws Error(network) or Error(protocol).
std::optional<OauthToken> renewed_oauth_token(const OauthContext& context,
                                              const std::optional<Secret>& refused);

// Like renewed_oauth_token(), and logs in if that returns nullopt. Throws Error(refused) if Access
// or the person says no, Error(login_needed), Error(network), Error(protocol).
OauthToken obtain_oauth_token(const OauthContext& context, const std::optional<Secret>& refused,
                              const OauthPrompt& prompt);

}  // namespace mayfly
