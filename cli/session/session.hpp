// One command's connection to Access: state directory and log from the start, connections and
// client certificate on first use.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "access/core/clock.hpp"
#include "access/curl/http.hpp"
#include "access/identity/credentials.hpp"
#include "access/system/files.hpp"
#include "access/tls/connection_options.hpp"
#include "cli/flags/network_flags.hpp"
#include "cli/flags/service_token_source.hpp"
#include "cli/terminal/log_sink.hpp"
#include "sshgen/agent.hpp"

namespace mayfly::cli {

// Whether an unwritable state directory is fatal.
enum class Storage {
  required,
  for_persons,  // only for a person's login: the identity of a machine is not stored
  unused
};

struct SessionOptions {
  Url application;  // the only server that is shown the client certificate
  Storage storage = Storage::required;
  // Whether log lines go to standard error even without -v, as those of a listener do.
  LogSettings::Terminal log = LogSettings::Terminal::silent;
  // never: the command needs an app token, or its request has a header Authorization of its own.
  enum class Oauth { allowed, never } oauth = Oauth::allowed;
  // Who starts the command. ssh: it may end the command while the person logs in, or run it where
  // nobody sees a browser (calling_ssh.hpp). a_script: it may end it, too. A login of a_person ends
  // with the command, and so does that of a listener.
  enum class StartedBy { a_person, a_script, ssh } started_by = StartedBy::a_person;
  bool tells_login = true;  // whether a login at a terminal ends with a line that says so
  // Called with the prompt of logins, to watch them.
  std::function<void(LoginPrompt&)> watch_logins = [](LoginPrompt&) {};
};

class Session {
 public:
  // Starts the log and creates the state directory if it is absent. Uses no network and reads no
  // certificate. Throws usage Error for contradictory flags.
  Session(const SessionOptions& options, NetworkFlags flags);
  ~Session();

  const StateDirectory& state() const noexcept { return state_; }
  const Send& send() const noexcept { return send_; }
  const Credentials& credentials() const noexcept { return *credentials_; }
  // Before a fork, after which two processes would share them.
  void close_connections();
  // Loads and checks the client certificate on the first call.
  const ConnectionOptions& connection();
  // The password of the client certificate's key, if connection() needed one.
  const std::optional<Secret>& asked_password() const noexcept { return asked_password_; }
  // The service token, with the secret that its file holds now.
  std::optional<ServiceToken> service_token() const;
  // The same, after Access has refused the secret once.
  std::optional<ServiceToken> service_token_after_refusal() const;

 private:
  std::string certificate_origin_;
  NetworkFlags flags_;
  StateDirectory state_;
  mutable std::optional<ServiceTokenSource> service_token_;  // reads its file again
  std::optional<ConnectionOptions> connection_;
  std::optional<Secret> asked_password_;
  std::unique_ptr<HttpClient> http_;
  Send send_;
  std::unique_ptr<Credentials> credentials_;
};

// Returns "logged in as jdoe@example.com until 18:42", fit to be shown.
std::string logged_in_line(const TokenClaims& claims, std::chrono::sys_seconds now);

// Connects to the agent of SSH_AUTH_SOCK. Returns nullopt if none is named or, with a warning, if
// it does not answer: the variable often outlives its agent.
std::optional<sshgen::Agent> reachable_agent();

}  // namespace mayfly::cli
