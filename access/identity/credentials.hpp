// Who am I, and may I: from an application's URL to what opens it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "access/core/clock.hpp"
#include "access/core/secret.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/identity/logout.hpp"
#include "access/identity/machine_identity.hpp"
#include "access/identity/token_store.hpp"
#include "access/identity/transfer.hpp"
#include "access/system/files.hpp"
#include "access/system/lock.hpp"

namespace mayfly {

// How a person is asked; everything a terminal or a browser does is in here.
struct LoginPrompt {
  std::function<void(const std::string& url)> show;  // open a browser or print the URL
  std::function<void(long pid, std::string_view url)> other_login = [](long, std::string_view) {};
  // About once a second while the person is waited for, at whichever of the two it was.
  std::function<void(std::chrono::seconds left)> waiting = [](std::chrono::seconds) {};
  // That wait is over, whatever came of it.
  std::function<void()> waited = [] {};
  // The browser login has brought this token.
  std::function<void(const TokenClaims&)> logged_in = [](const TokenClaims&) {};
};

struct CredentialOptions {
  std::optional<ServiceToken> service_token;
  enum class ClientCertificate { absent, present } client_certificate = ClientCertificate::absent;
  enum class Login { allowed, never } login = Login::allowed;  // never: --batch
  // optional: a machine's token is used though it cannot be stored, and nobody is waited for where
  // no lock can be had.
  enum class Storage { required, optional } storage = Storage::required;
  TransferOptions transfer;
  // What has no person waiting for it (a machine's identity, Login::never) waits this long for
  // another process's login, and does without the lock then.
  std::chrono::milliseconds machine_patience = std::chrono::seconds(5);
  std::function<std::chrono::sys_seconds()> now = mayfly::now;
};

// What opens the application: a token, or nothing but the connection's own client certificate or
// service token, or nothing at all because nobody guards it.
struct Grant {
  std::optional<Application> application = {};  // nothing: no Access application there
  std::optional<StoredToken> token = {};        // nothing: No Duration, or nobody to show it to
  enum class Guard { access, nobody } guard = Guard::access;  // nobody: everybody is let in
  Response answered = {};  // what is there instead of an application
};

struct EdgeVerdict {
  bool accepted = false;
  std::string reference = {};  // Response::reference()
  explicit operator bool() const noexcept { return accepted; }
};

// Takes the URL's query for the login page alone: a request that carries a credential goes without
// it. Throws Error(usage) if the path may be one of Access.
class Credentials {
 public:
  // state outlives it.
  Credentials(const StateDirectory& state, Send send, LoginPrompt prompt,
              CredentialOptions options);
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  // Returns the valid stored token of an application whose record is young; uses no network. With a
  // service token, only a token that this service token earned. Returns nullopt otherwise: obtain()
  // asks the edge which application it is before it hands out a token.
  std::optional<Grant> known(const Url& url) const;

  // As known(), but asks the edge when the record is too old. Obtains no token. Throws
  // Error(network) or Error(protocol) when that cannot be found out.
  std::optional<Grant> stored(const Url& url) const;

  // In order: stored token, (lock) stored token again, client certificate or service token, org
  // token exchange, browser. A service token is never followed by anything else. Throws
  // Error(refused) when Access says no, Error(login_needed) when a login is not allowed or not
  // completed, Error(network), Error(protocol).
  Grant obtain(const Url& url) const;

  // The edge did not take this grant's token: obtains another. The old one is deleted, unless
  // another has been stored meanwhile, or the URL turns out to be of another application than was
  // thought.
  Grant renew(const Url& url, const Grant& refused) const;

  // Whether a token that known() or obtain() gave may still be sent: not after a logout
  // (logout.hpp), also when a person has logged in since, unless the same token is stored now.
  // `application`: the token's, if it is known. What a service token has earned may be sent in any
  // case. No network.
  bool may_send(const Url& url, const std::optional<Application>& application,
                std::string_view jwt) const;
  // Runs `action`, which keeps what a grant has brought; no logout happens meanwhile. Throws
  // Error(login_needed) instead after a logout, unless a machine's identity brought it.
  void store(const Url& url, const Application& application,
             const std::function<void()>& action) const;

  // GET <url without its query>?cloudflared_token_check=true; a redirect to the login page means
  // no, an error of the network or the origin does not decide (docs/protocol.md section 2).
  EdgeVerdict accepted_at_edge(const Url& url, const StoredToken& token) const;

 private:
  enum class Waiting { person, machine };

  Grant obtain(const Url& url, const Grant& refused) const;
  bool is_machine() const noexcept;
  bool has_logged_out(const Url& url, const std::optional<Application>& application) const;
  void stop_after_logout(const Url& url, const Application& application) const;
  void store_while_logged_in(const Url& url, const Application& application,
                             const std::function<void()>& action) const;
  void store_for_person(const Url& url, const Application& application,
                        const std::function<void()>& action) const;
  std::optional<StoredToken> stored_token(const Application& application) const;
  std::optional<Grant> stored_for(const std::optional<Application>& application) const;
  std::optional<LoginLock> lock(const std::string& base, Waiting waiting,
                                const std::function<bool()>& satisfied) const;
  std::optional<LoginLock> machine_lock(const Application& application) const;
  StoredToken keep(const Application& application, const Secret& jwt) const;
  void forget(const Grant& refused) const;
  bool does_without(const Error& error) const;
  std::optional<Grant> by_machine(const Url& url, const Application& application,
                                  const Grant& refused) const;
  bool is_open(const Url& url) const;
  Grant by_person(const Url& url, const Application& application) const;
  std::optional<Grant> by_exchange(const Url& url, const Application& application,
                                   const std::optional<StoredToken>& org_token) const;
  Grant by_browser(const Url& url, const Application& application,
                   const std::vector<LoginLock*>& locks) const;
  TokenPair await_tokens(const TransferKey& key, const std::function<void()>& stop) const;

  const StateDirectory& state_;
  Send send_;
  LoginPrompt prompt_;
  CredentialOptions options_;
  ApplicationFinder finder_;
  LogoutWatch logouts_;
};

}  // namespace mayfly
