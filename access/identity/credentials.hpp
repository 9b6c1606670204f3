// Finds or obtains the credential for an application's URL.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/identity/browser_login.hpp"
#include "access/identity/login_options.hpp"
#include "access/identity/login_turn.hpp"
#include "access/identity/logout_guard.hpp"
#include "access/identity/managed_oauth.hpp"
#include "access/identity/token_store.hpp"
#include "access/system/files.hpp"
#include "access/system/lock.hpp"

namespace mayfly {

// The credential for an application: a token, or the client certificate or service token of the
// connection alone, or nothing if Access bypasses the login or there is no application.
struct Grant {
  std::optional<Application> application = {};  // nullopt: there is no Access application
  std::optional<StoredToken> token = {};        // nullopt: No Duration, or none is needed
  std::optional<OauthToken> oauth = {};         // in place of the token
  bool has_service_token = false;  // the headers of the service token go with each request
  enum class Guard { access, nobody } guard = Guard::access;  // nobody: a policy bypasses the login
  Response answered = {};  // without an application: the edge's answer
};

// Returns whether the grant has an app token or a token of Managed OAuth.
inline bool has_token(const Grant& grant) {
  return grant.token || grant.oauth;
}

// Returns the header of the grant's token, or none: Cf-Access-Token, or Authorization with the
// token of Managed OAuth.
Headers credential_headers(const Grant& grant);

// Returns the question whether the edge lets these headers in (docs/protocol.md section 2). Throws
// Error(usage) if the path may be one of Access.
Request token_check(const Url& url, Headers headers, std::string_view purpose);

struct EdgeVerdict {
  bool accepted = false;
  std::string reference = {};  // Response::reference()
  bool has_challenge = false;  // the answer may come from an application with Managed OAuth
  explicit operator bool() const noexcept { return accepted; }
};

// The URL's query goes to the login page alone: a request with a credential goes without it. Throws
// Error(usage) if the path may be one of Access.
class Credentials {
 public:
  // state outlives it.
  Credentials(const StateDirectory& state, Send send, LoginPrompt prompt,
              CredentialOptions options);
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  // Returns the valid stored token of an application whose record is young; with a service token
  // the application alone. Uses no network. Otherwise obtain() asks the edge which application it
  // is.
  std::optional<Grant> known(const Url& url) const;

  // Like known(), but asks the edge which application it is if the record is too old. Obtains no
  // token. Throws Error(network) or Error(protocol).
  std::optional<Grant> stored(const Url& url) const;

  // Tries in this order: the stored token, (lock) the stored token again, client certificate,
  // exchange of the org token, browser. With a service token it asks which application it is and
  // tries nothing: the token's headers go with each request. Throws Error(refused) if Access says
  // no, Error(login_needed) if a login is not allowed or not completed, Error(network),
  // Error(protocol).
  Grant obtain(const Url& url) const;

  // Like obtain(), but with a service token sends a request that earns a token, and stores it.
  // Organisations with strict service tokens issue none; then a token that the service token had
  // earned before is removed.
  Grant earn_token(const Url& url) const;

  // Like earn_token(), but returns a stored token that the service token has earned.
  Grant obtain_token(const Url& url) const;

  // Obtains another token (earn_token()) after the edge did not accept this one. Deletes the old
  // one, unless
  // another has been stored meanwhile, or the URL now belongs to another application.
  Grant renew(const Url& url, const Grant& refused) const;

  // Obtains a token of Managed OAuth in place of an app token that the edge refuses although it has
  // just been issued, and forgets that token. Logs in if need be. Returns nullopt if Managed OAuth
  // is not to be used, or the application does not offer it.
  std::optional<Grant> obtain_by_oauth(const Url& url, const Grant& refused) const;

  // Returns the stored token of Managed OAuth, renewed if it has expired, or nullopt. Never logs
  // in.
  std::optional<OauthToken> oauth_token(const Url& url, const Application& application) const;

  // Obtains a credential, and asks the edge whether it lets that credential in (trial.cpp). Throws
  // what obtain() throws, Error(refused) if Access refuses the credential, and Error(network) if no
  // tunnel is connected behind the application. absent: throws Error(login_needed) instead of
  // beginning a login.
  enum class Person { present, absent };
  Grant try_out(const Url& url, Person person) const;

  // Returns whether a token from known() or obtain(), an app token or that of Managed OAuth, may
  // still be sent. After a logout (logout.hpp) it may not, even if a person has logged in since,
  // unless the same token is stored now. application: the token's, if it is known. A token that
  // came for a service token may always be sent. Uses no network.
  bool may_send(const Url& url, const std::optional<Application>& application,
                std::string_view jwt) const;
  // Throws Error(login_needed) if may_send() says no to the grant's token.
  void require_may_send(const Url& url, const Grant& grant) const;
  // Runs `action`, which stores the result of a grant; no logout happens meanwhile. After a logout
  // it throws Error(login_needed) instead, unless the grant is of a machine's identity.
  void store(const Url& url, const Application& application,
             const std::function<void()>& action) const;

  // Asks the edge whether it accepts the grant's token: GET <url>?cloudflared_token_check=true. A
  // wanted login means no; an error of the network or the origin means yes (docs/protocol.md
  // section 2). Throws Error(login_needed) if it may no longer be sent.
  EdgeVerdict accepted_at_edge(const Url& url, const Grant& grant) const;

 private:
  Grant obtain(const Url& url, const Grant& refused) const;
  Grant for_service_token(std::optional<Application> application) const;
  Grant earn(const Url& url, const Application& application) const;
  Grant tried(const Url& url) const;
  Grant shown_to_edge(const Url& url, Grant grant) const;
  bool is_machine() const noexcept;
  std::optional<StoredToken> stored_token(const Application& application) const;
  std::optional<Grant> stored_for(const std::optional<Application>& application) const;
  std::optional<Grant> stored_for(const Url& url,
                                  const std::optional<Application>& application) const;
  std::optional<LoginLock> machine_lock(const Application& application) const;
  StoredToken keep(const Application& application, const Secret& jwt) const;
  void forget(const Grant& refused) const;
  bool does_without(const Error& error) const;
  std::optional<Grant> by_machine(const Url& url, const Application& application,
                                  const Grant& refused) const;
  bool is_open(const Url& url) const;
  Grant by_person(const Url& url, const Application& application, const Response& first) const;
  static std::optional<Grant> by_oauth(const Application& application,
                                       std::optional<OauthToken> token);
  std::optional<Grant> by_exchange(const Url& url, const Application& application,
                                   const std::optional<StoredToken>& org_token) const;
  LoginParts login_parts() const;

  const StateDirectory& state_;
  Send send_;
  LoginPrompt prompt_;
  CredentialOptions options_;
  ApplicationFinder finder_;
  LogoutGuard logouts_;
  LoginTurn turn_;
  BrowserLogin browser_;
  ManagedOauth oauth_;
};

}  // namespace mayfly
