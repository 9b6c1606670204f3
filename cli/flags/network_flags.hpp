// The flags of every command that talks to Access, and what they come to.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/identity/service_token.hpp"
#include "access/tls/client_certificate.hpp"
#include "access/tls/connection_options.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/terminal/log_sink.hpp"

namespace mayfly::cli {

// The identity of a machine.
struct IdentityFlags {
  std::string service_token_id, service_token_secret, service_token_secret_file;
  std::string certificate, key, certificate_password_file;
  std::string certificate_password;  // only curl's FILE:PASSWORD and --pass set it
  bool have_service_token() const {
    return !service_token_id.empty() || !service_token_secret.empty() ||
           !service_token_secret_file.empty();
  }
  bool are_given() const { return !service_token_id.empty() || !certificate.empty(); }
};

// Where connections lead, and which servers are trusted.
struct TrustFlags {
  std::string ca_file, proxy;
  std::vector<std::string> connect_to;  // cloudflared's hidden --connect-to, and curl's
  std::vector<std::string> resolve;     // only curl's --resolve sets it
  bool insecure = false;                // only curl's -k sets it
  bool fedramp = false;
};

struct InteractionFlags {
  bool batch = false, no_browser = false, qr = false, auto_close = false, oauth = false;
};

struct LoggingFlags {
  bool verbose = false;
  std::string file, directory, level;
};

struct NetworkFlags {
  IdentityFlags identity;
  TrustFlags trust;
  InteractionFlags interaction;
  LoggingFlags logging;
};

void bind_network_flags(Parser& parser, NetworkFlags& flags);
// For commands that use the network only if they are asked to, and without an identity of their
// own.
void bind_trust_flags(Parser& parser, TrustFlags& flags);

void bind_listeners(Parser& parser, std::vector<std::string>& addresses, const char* help);
void bind_headers(Parser& parser, std::vector<std::string>& headers, const char* help);
void bind_destination(Parser& parser, std::string& destination);

// The times of a tunnel, in seconds.
struct TunnelTimes {
  unsigned ping_interval = 30;
  unsigned linger = 5;
};
void bind_tunnel_times(Parser& parser, TunnelTimes& times);

// Returns the flags that a configuration for later use has to repeat, with absolute paths.
std::vector<std::string> repeated_flags(const NetworkFlags& flags);

// Returns nullopt if no service token is given. Throws usage Error for half of one.
std::optional<ServiceToken> service_token_of(const IdentityFlags& flags);

// Throws usage Error if a service token is given and the header is one of the two that carry it:
// Access rejects a request that has one of them twice.
void refuse_second_service_token(std::string_view header, const IdentityFlags& flags);

using AskPassword = std::function<Secret(const std::string& what)>;

// Returns the source of the password of a client certificate's key: the flags, or the person at
// the terminal. It throws Error(login_needed) with --batch and without a terminal.
AskPassword certificate_password(const IdentityFlags& flags, const InteractionFlags& interaction);

// Returns nullptr if no client certificate is given. Throws usage Error for a key alone and for
// what ClientCertificate::load() refuses.
std::shared_ptr<const ClientCertificate> client_certificate_of(const IdentityFlags& flags,
                                                               AskPassword password);

// Returns all but the client certificate, and reads no file.
ConnectionOptions connection_of(const TrustFlags& flags);

// terminal: whether log lines go to standard error even without -v.
LogSettings log_settings_of(const LoggingFlags& flags, LogSettings::Terminal terminal);

}  // namespace mayfly::cli
