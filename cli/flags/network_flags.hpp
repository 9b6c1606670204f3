// The flags of every command that talks to Access: identity, trust, proxy, interaction, logging.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace mayfly::cli {

class Parser;

struct NetworkFlags {
  std::string service_token_id, service_token_secret, service_token_secret_file;
  std::string certificate, key, certificate_password_file;
  std::string certificate_password;  // only curl's FILE:PASSWORD and --pass set it
  std::string ca_file, proxy;
  std::vector<std::string> connect_to;  // cloudflared's hidden --connect-to, and curl's
  std::vector<std::string> resolve;
  bool insecure = false;  // only curl's -k sets it
  bool batch = false, no_browser = false, qr = false;
  bool verbose = false;
  bool auto_close = false;
  bool fedramp = false;
  bool host_only_redirect =
      false;                // as cloudflared's curl: the browser is sent back to the bare host
  bool tells_login = true;  // at a terminal, who has logged in; login itself says it anyway
  std::string log_file, log_directory, log_level;

  // The flags that a configuration written for later use has to repeat, paths made absolute.
  std::vector<std::string> repeated() const;
};

void bind_network_flags(Parser& parser, NetworkFlags& flags, const Invocation& invocation);

}  // namespace mayfly::cli
