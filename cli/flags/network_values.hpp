// What the network flags come to: service token, client certificate, connection, log.
#pragma once

#include <memory>
#include <optional>

#include "access/identity/service_token.hpp"
#include "access/tls/client_certificate.hpp"
#include "access/tls/connection_options.hpp"
#include "cli/flags/network_flags.hpp"
#include "cli/terminal/log_sink.hpp"
#include "cli/terminal/password_prompt.hpp"

namespace mayfly::cli {

// Nothing when none is given. Throws usage Error for half of one.
std::optional<ServiceToken> service_token_of(const NetworkFlags& flags);

// Null when none is given. Throws usage Error for a key alone and for what
// ClientCertificate::load() refuses.
std::shared_ptr<const ClientCertificate> client_certificate_of(const NetworkFlags& flags,
                                                               AskPassword password);

// Everything but the client certificate; no file is read.
ConnectionOptions connection_of(const NetworkFlags& flags);

// terminal: whether log lines go to stderr even without -v.
LogSettings log_settings_of(const NetworkFlags& flags, LogSettings::Terminal terminal);

}  // namespace mayfly::cli
