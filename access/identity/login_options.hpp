// How credentials are obtained, and how a login reaches the person.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/core/url.hpp"
#include "access/identity/service_token.hpp"
#include "access/identity/token_store.hpp"
#include "access/identity/transfer.hpp"

namespace mayfly {

// How a login reaches the person: everything that a terminal or a browser does.
struct LoginPrompt {
  std::function<void(const std::string& url)> show;  // opens a browser or prints the URL
  // Another process is logging in; url is its login page, or "".
  std::function<void(long pid, std::string_view url)> other_login = [](long, std::string_view) {};
  // Called about once a second while one of these two logins is waited for.
  std::function<void(std::chrono::seconds left)> waiting = [](std::chrono::seconds) {};
  // That wait is over, with or without success.
  std::function<void()> waited = [] {};
  // Shows a login that ends at the address `redirect` on this computer, so that the browser has to
  // run here.
  std::function<void(const std::string& url, const std::string& redirect)> show_local =
      [](const std::string&, const std::string&) {};
  // The browser login has brought a token with these claims.
  std::function<void(const TokenClaims&)> logged_in = [](const TokenClaims&) {};
};

struct CredentialOptions {
  std::optional<ServiceToken> service_token;
  enum class ClientCertificate { absent, present } client_certificate = ClientCertificate::absent;
  enum class Login { allowed, never } login = Login::allowed;  // never: --batch
  // Called when a browser login would begin. Returns why it must not, or "".
  std::function<std::string()> objection_to_browser = [] { return std::string(); };
  // Managed OAuth (docs/protocol.md section 6). when_stored: a grant that a person has given before
  // is used if no app token is stored, and its login is the last way if the application offers no
  // other. preferred: --oauth.
  enum class Oauth { never, when_stored, preferred } oauth = Oauth::when_stored;
  // optional: a machine's token is used even if it cannot be stored, and without a lock if none can
  // be taken.
  enum class Storage { required, optional } storage = Storage::required;
  TransferOptions transfer;
  // detached: a browser login goes on, and stores its tokens, when this process ends
  // (detached_login.hpp).
  enum class Browser { attached, detached } browser = Browser::attached;
  // Called before a process is forked, which would otherwise share open connections with this one.
  std::function<void()> close_connections = [] {};
  // How long a machine's identity, or Login::never, waits for another process's login. Then it goes
  // on without the lock.
  std::chrono::milliseconds machine_patience = std::chrono::seconds(5);
  std::function<std::chrono::sys_seconds()> now = mayfly::now;
};

// Says that a wait is over, at the end of a scope.
class PersonWaitedFor {
 public:
  // waited outlives it.
  explicit PersonWaitedFor(const std::function<void()>& waited) : waited_(waited) {}
  ~PersonWaitedFor() { waited_(); }
  PersonWaitedFor(const PersonWaitedFor&) = delete;
  PersonWaitedFor& operator=(const PersonWaitedFor&) = delete;

 private:
  const std::function<void()>& waited_;
};

// Returns why no login in a browser may begin, or "".
std::string objection_to_login(const CredentialOptions& options);

// Returns the Error for a login that cannot begin or did not end, with the command for another one.
Error login_needed(const Url& url, std::string_view why);

}  // namespace mayfly
