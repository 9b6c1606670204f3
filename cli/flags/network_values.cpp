#include "cli/flags/network_values.hpp"

#include <fmt/core.h>

#include <utility>

#include "access/core/error.hpp"
#include "cli/environment.hpp"
#include "cli/flags/secret_file.hpp"
#include "cli/flags/service_token_text.hpp"
#include "cli/session.hpp"
#include "cli/version.hpp"

namespace mayfly::cli {
namespace {

std::vector<std::string> connect_to_list(const NetworkFlags& flags) {
  std::vector<std::string> result = flags.connect_to;
  for (std::string& entry : connect_to_from_environment()) result.push_back(std::move(entry));
  return result;
}

}  // namespace

std::optional<ServiceToken> service_token_of(const NetworkFlags& flags) {
  const bool has_secret =
      !flags.service_token_secret.empty() || !flags.service_token_secret_file.empty();
  if (flags.service_token_id.empty() && !has_secret) return std::nullopt;
  if (flags.service_token_id.empty() || !has_secret) {
    throw Error(ErrorKind::usage,
                fmt::format("a service token needs its id and its secret: the {} is missing",
                            has_secret ? "id" : "secret"),
                "give --service-token-id and --service-token-secret-file, or set "
                "TUNNEL_SERVICE_TOKEN_ID and TUNNEL_SERVICE_TOKEN_SECRET");
  }
  // A file named on the command line says more than a variable of the environment.
  const Secret secret = flags.service_token_secret_file.empty()
                            ? Secret(flags.service_token_secret)
                            : read_secret_file(flags.service_token_secret_file);
  return ServiceToken{
      std::string(service_token_text(flags.service_token_id, service_token_id_field)),
      Secret(service_token_text(secret.reveal(), service_token_secret_field))};
}

std::shared_ptr<const ClientCertificate> client_certificate_of(const NetworkFlags& flags,
                                                               AskPassword password) {
  if (flags.certificate.empty()) {
    if (flags.key.empty()) return nullptr;
    throw Error(ErrorKind::usage, "a private key alone is no client certificate",
                "give the certificate with --cert");
  }
  const ClientCertificateFiles files{
      .certificate = flags.certificate, .key = flags.key, .password = std::move(password)};
  return ClientCertificate::load(files, now());
}

ConnectionOptions connection_of(const NetworkFlags& flags) {
  ConnectionOptions options;
  options.user_agent = fmt::format("mayfly/{}", version);
  options.ca_file = flags.ca_file;
  if (options.ca_file.empty()) {
    options.ca_file = variable("SSL_CERT_FILE");
    options.ca_directory = variable("SSL_CERT_DIR");
  }
  options.proxy = flags.proxy;
  options.connect_to = connect_to_list(flags);
  options.resolve = flags.resolve;
  if (flags.insecure) options.verify = ConnectionOptions::Verify::no;
  return options;
}

LogSettings log_settings_of(const NetworkFlags& flags, LogSettings::Terminal terminal) {
  LogSettings settings{flags.log_file, flags.log_directory, flags.log_level, terminal};
  if (flags.verbose) settings.terminal = LogSettings::Terminal::lines;
  if (flags.verbose && settings.level.empty()) settings.level = "debug";
  return settings;
}

}  // namespace mayfly::cli
