#include "cli/flags/network_flags.hpp"

#include <fmt/core.h>

#include <utility>

#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/tls/pkcs11_uri.hpp"
#include "cli/flags/secret_text.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/password_prompt.hpp"
#include "cli/terminal/time_text.hpp"
#include "cli/version.hpp"

namespace mayfly::cli {
namespace {

constexpr const char* token_variables =
    "give --service-token-id and --service-token-secret-file, or set TUNNEL_SERVICE_TOKEN_ID and "
    "TUNNEL_SERVICE_TOKEN_SECRET";

void bind_identity(Parser& parser, IdentityFlags& flags) {
  const char* group = "Identity";
  parser
      .add_option("--service-token-id,--id", flags.service_token_id, "client id of a service token")
      .envname("TUNNEL_SERVICE_TOKEN_ID")
      .type_name("ID")
      .group(group);
  parser
      .add_option("--service-token-secret,--secret", flags.service_token_secret,
                  "its secret; better in the environment or a file")
      .envname("TUNNEL_SERVICE_TOKEN_SECRET")
      .type_name("SECRET")
      .group(group);
  parser
      .add_option("--service-token-secret-file", flags.service_token_secret_file,
                  "file that holds the secret")
      .group(group);
  parser.add_option("--cert", flags.certificate, "client certificate: PEM, PKCS#12 or pkcs11: URI")
      .envname("MAYFLY_CERT")
      .group(group);
  parser.add_option("--key", flags.key, "its private key, when it is not in the same file")
      .envname("MAYFLY_KEY")
      .group(group);
  parser
      .add_option("--cert-password-file", flags.certificate_password_file,
                  "file that holds the password of the key")
      .envname("MAYFLY_CERT_PASSWORD_FILE")
      .group(group);
}

void bind_trust(Parser& parser, TrustFlags& flags) {
  const char* group = "Connection";
  parser.add_option("--cacert", flags.ca_file, "trust the CAs in this PEM file").group(group);
  parser.add_option("--proxy", flags.proxy, "http, https or socks5h URL of a proxy")
      .type_name("URL")
      .group(group);
  parser.add_flag("--fedramp", flags.fedramp, "use the FedRAMP login service").group(group);
}

void bind_interaction(Parser& parser, NetworkFlags& flags) {
  const char* group = "Interaction";
  InteractionFlags& interaction = flags.interaction;
  parser
      .add_flag("--batch", interaction.batch,
                "never ask, never open a browser: fail with exit code 3")
      .group(group);
  parser.add_flag("--no-browser", interaction.no_browser, "print the login URL only").group(group);
  parser
      .add_flag("--qr", interaction.qr,
                "draw the login URL as a QR code, for a phone; opens no browser here")
      .group(group);
  parser
      .add_flag("--oauth", interaction.oauth,
                "log in by Managed OAuth, if the application offers it")
      .group(group);
  parser.add_flag("--auto-close", interaction.auto_close, "let the login page close itself")
      .group(group);
  parser.add_flag("-v,--verbose", flags.logging.verbose, "tell what happens, on stderr")
      .group(group);
}

void bind_logging(Parser& parser, LoggingFlags& flags) {
  const char* group = "Logging";
  parser.add_option("--logfile", flags.file, "append the log to this file, as JSON lines")
      .group(group);
  parser.add_option("--log-directory", flags.directory, "keep rotating log files in this directory")
      .group(group);
  parser.add_option("--log-level,--loglevel", flags.level, "debug, info, warn, error or fatal")
      .type_name("LEVEL")
      .group(group);
}

}  // namespace

void bind_network_flags(Parser& parser, NetworkFlags& flags) {
  parser.add_help_for_all("--help-all", "show the shared flags too");
  bind_identity(parser, flags.identity);
  bind_trust(parser, flags.trust);
  bind_interaction(parser, flags);
  bind_logging(parser, flags.logging);
}

void bind_trust_flags(Parser& parser, TrustFlags& flags) {
  parser.add_help_for_all("--help-all", "show the shared flags too");
  bind_trust(parser, flags);
}

void bind_listeners(Parser& parser, std::vector<std::string>& addresses, const char* help) {
  parser.add_option("--url,--listener,-L", addresses, help)
      .envname("TUNNEL_SERVICE_URL")
      .type_name("ADDRESS");
}

void bind_headers(Parser& parser, std::vector<std::string>& headers, const char* help) {
  parser.add_option("--header,-H", headers, help).type_name("HEADER");
}

void bind_destination(Parser& parser, std::string& destination) {
  parser.add_option("--destination", destination, "HOST:PORT behind a bastion application")
      .envname("TUNNEL_SERVICE_DESTINATION")
      .type_name("HOST:PORT");
}

void bind_tunnel_times(Parser& parser, TunnelTimes& times) {
  parser
      .add_option("--ping-interval", times.ping_interval, "seconds between pings, 0 for none (30)")
      .range(0, 3600);
  parser
      .add_option("--linger", times.linger,
                  "seconds to wait for more bytes after the end of input (5)")
      .range(0, 3600);
}

std::vector<std::string> repeated_flags(const NetworkFlags& flags) {
  const auto& [identity, trust, interaction, logging] = flags;
  std::vector<std::string> result;
  const auto repeat = [&](const char* flag, const std::string& value) {
    if (!value.empty()) result.insert(result.end(), {flag, value});
  };
  const auto repeat_path = [&](const char* flag, const std::string& value) {
    if (!value.empty()) repeat(flag, is_pkcs11_uri(value) ? value : absolute_path(value));
  };
  const auto repeat_switch = [&](const char* flag, bool is_set) {
    if (is_set) result.emplace_back(flag);
  };
  if (!identity.service_token_id.empty())
    repeat("--service-token-id",
           std::string(service_token_text(identity.service_token_id, service_token_id_field)));
  repeat_path("--service-token-secret-file", identity.service_token_secret_file);
  repeat_path("--cert", identity.certificate);
  repeat_path("--key", identity.key);
  repeat_path("--cert-password-file", identity.certificate_password_file);
  repeat_path("--cacert", trust.ca_file);
  repeat("--proxy", trust.proxy);
  repeat_switch("--fedramp", trust.fedramp);
  repeat_switch("--batch", interaction.batch);
  repeat_switch("--no-browser", interaction.no_browser);
  repeat_switch("--qr", interaction.qr);
  repeat_switch("--oauth", interaction.oauth);
  return result;
}

std::optional<ServiceToken> service_token_of(const IdentityFlags& flags) {
  const bool has_secret =
      !flags.service_token_secret.empty() || !flags.service_token_secret_file.empty();
  if (flags.service_token_id.empty() && !has_secret) return std::nullopt;
  if (flags.service_token_id.empty() || !has_secret) {
    throw Error(ErrorKind::usage,
                fmt::format("a service token needs its id and its secret: the {} is missing",
                            has_secret ? "id" : "secret"),
                token_variables);
  }
  // A flag comes before a variable of the environment.
  const Secret secret = flags.service_token_secret_file.empty()
                            ? Secret(flags.service_token_secret)
                            : read_secret_file(flags.service_token_secret_file);
  return ServiceToken{
      std::string(service_token_text(flags.service_token_id, service_token_id_field)),
      Secret(service_token_text(secret.reveal(), service_token_secret_field))};
}

void refuse_second_service_token(std::string_view header, const IdentityFlags& flags) {
  if (!flags.have_service_token()) return;
  for (const ServiceTokenField& field : {service_token_id_field, service_token_secret_field}) {
    if (!equals_ignoring_case(header, field.header)) continue;
    throw Error(ErrorKind::usage,
                fmt::format("the header {} and {} are given: Access rejects a request with both",
                            field.header, field.source),
                "leave out the header, or the flags and variables of the service token");
  }
}

AskPassword certificate_password(const IdentityFlags& flags, const InteractionFlags& interaction) {
  return [file = flags.certificate_password_file, batch = interaction.batch,
          given = Secret(flags.certificate_password)](const std::string& what) {
    if (!given.empty()) return given;
    if (!file.empty()) return read_secret_file(file);
    if (!batch) return ask_password(what);
    throw Error(
        ErrorKind::login_needed,
        fmt::format("the {} is wanted, and nobody is asked for it here (as with --batch)", what),
        "put it into a file and name that with --cert-password-file");
  };
}

std::shared_ptr<const ClientCertificate> client_certificate_of(const IdentityFlags& flags,
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

ConnectionOptions connection_of(const TrustFlags& flags) {
  ConnectionOptions options;
  options.user_agent = fmt::format("mayfly/{}", version);
  options.ca_file = flags.ca_file;
  if (options.ca_file.empty()) {
    options.ca_file = variable("SSL_CERT_FILE");
    options.ca_directory = variable("SSL_CERT_DIR");
  }
  options.proxy = flags.proxy;
  options.connect_to = flags.connect_to;
  for (std::string& entry : connect_to_from_environment())
    options.connect_to.push_back(std::move(entry));
  options.resolve = flags.resolve;
  if (flags.insecure) options.verify = ConnectionOptions::Verify::no;
  return options;
}

LogSettings log_settings_of(const LoggingFlags& flags, LogSettings::Terminal terminal) {
  LogSettings settings{flags.file, flags.directory, flags.level, terminal};
  if (flags.verbose) settings.terminal = LogSettings::Terminal::lines;
  if (flags.verbose && settings.level.empty()) settings.level = "debug";
  return settings;
}

}  // namespace mayfly::cli
