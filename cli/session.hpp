// One command's dealings with Access: state directory and log from the start, connections and
// client certificate when first used.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "access/core/clock.hpp"
#include "access/curl/http.hpp"
#include "access/identity/credentials.hpp"
#include "access/system/files.hpp"
#include "access/tls/connection_options.hpp"
#include "cli/flags/network_flags.hpp"
#include "cli/terminal/log_sink.hpp"

namespace mayfly::cli {

// What cannot be written in the state directory keeps nobody from his work who needs nothing of it.
enum class Storage {
  required,
  for_persons,  // a machine's identity does without
  unused
};

class Session {
 public:
  // application: the only server that is shown the client certificate.
  // Makes the state directory when it is not there. No network, no certificate file is read yet.
  // Throws usage Error for flags that contradict each other.
  // terminal: whether log lines go to stderr even without -v, as a listener's do.
  Session(const Url& application, NetworkFlags flags, Storage storage,
          LogSettings::Terminal terminal = LogSettings::Terminal::silent);
  ~Session();

  const StateDirectory& state() const noexcept { return state_; }
  const Send& send() const noexcept { return send_; }
  const Credentials& credentials() const noexcept { return *credentials_; }
  // Loads and checks the client certificate, once.
  const ConnectionOptions& connection();
  // The password of the client certificate's key, when connection() had to ask for one.
  const std::optional<Secret>& asked_password() const noexcept { return asked_password_; }
  const std::optional<ServiceToken>& service_token() const noexcept { return service_token_; }

 private:
  std::string certificate_origin_;
  NetworkFlags flags_;
  StateDirectory state_;
  std::optional<ServiceToken> service_token_;
  std::optional<ConnectionOptions> connection_;
  std::optional<Secret> asked_password_;
  std::unique_ptr<HttpClient> http_;
  Send send_;
  std::unique_ptr<Credentials> credentials_;
};

}  // namespace mayfly::cli
