#include "cli/session.hpp"

#include <fmt/format.h>

#include "access/core/error.hpp"
#include "access/core/leftovers.hpp"
#include "access/core/text.hpp"
#include "access/transport/client_certificate.hpp"
#include "cli/environment.hpp"
#include "cli/login_prompt.hpp"
#include "cli/password_prompt.hpp"
#include "cli/secret_file.hpp"
#include "cli/version.hpp"

namespace mayfly::cli {
namespace {

std::optional<ServiceToken> read_service_token(const NetworkFlags& flags) {
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
  Secret secret = flags.service_token_secret_file.empty()
                      ? Secret(flags.service_token_secret)
                      : read_secret_file(flags.service_token_secret_file);
  return ServiceToken{flags.service_token_id, std::move(secret)};
}

std::vector<std::string> connect_to_list(const NetworkFlags& flags) {
  std::vector<std::string> result = flags.connect_to;
  for (std::string& entry : connect_to_from_environment()) result.push_back(std::move(entry));
  return result;
}

ConnectionOptions make_connection(const NetworkFlags& flags) {
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
  if (flags.certificate.empty()) {
    if (!flags.key.empty()) {
      throw Error(ErrorKind::usage, "a private key alone is no client certificate",
                  "give the certificate with --cert");
    }
    return options;
  }
  const ClientCertificateFiles files{
      .certificate = flags.certificate, .key = flags.key, .password = certificate_password(flags)};
  options.client_certificate = ClientCertificate::load(files, now());
  return options;
}

CredentialOptions credential_options(const NetworkFlags& flags, std::optional<ServiceToken> token) {
  CredentialOptions options;
  options.service_token = std::move(token);
  if (!flags.certificate.empty()) {
    options.client_certificate = CredentialOptions::ClientCertificate::present;
  }
  if (flags.batch) options.login = CredentialOptions::Login::never;
  if (flags.fedramp) options.transfer.service = TransferOptions::Service::fedramp;
  if (flags.auto_close) options.transfer.interstitial = TransferOptions::Interstitial::close;
  return options;
}

LogSettings log_settings(const NetworkFlags& flags, LogSettings::Terminal terminal) {
  LogSettings settings{flags.log_file, flags.log_directory, flags.log_level, terminal};
  if (flags.verbose) settings.terminal = LogSettings::Terminal::lines;
  if (flags.verbose && settings.level.empty()) settings.level = "debug";
  return settings;
}

}  // namespace

std::chrono::sys_seconds now() {
  return std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
}

Session::Session(NetworkFlags flags, LogSettings::Terminal terminal)
    : flags_(std::move(flags)),
      state_(StateDirectory::open(state_directory_path())),
      service_token_(read_service_token(flags_)) {
  start_logging(log_settings(flags_, terminal));
  clear_leftovers(state_);
  send_ = [this](const Request& request) {
    if (!http_) http_ = std::make_unique<HttpClient>(connection());
    return http_->send(request);
  };
  credentials_ = std::make_unique<Credentials>(state_, send_, terminal_login_prompt(flags_),
                                               credential_options(flags_, service_token_));
}

Session::~Session() = default;

const ConnectionOptions& Session::connection() {
  if (!connection_) connection_ = make_connection(flags_);
  return *connection_;
}

}  // namespace mayfly::cli
