#include "cli/flags/network_flags.hpp"

#include "access/tls/pkcs11_uri.hpp"
#include "cli/environment.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/flags/service_token_text.hpp"

namespace mayfly::cli {
namespace {

void bind_identity(Parser& parser, NetworkFlags& flags) {
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

void bind_connection(Parser& parser, NetworkFlags& flags) {
  const char* group = "Connection";
  parser.add_option("--cacert", flags.ca_file, "trust the CAs in this PEM file").group(group);
  parser.add_option("--proxy", flags.proxy, "http, https or socks5h URL of a proxy")
      .type_name("URL")
      .group(group);
  parser.add_flag("--fedramp", flags.fedramp, "use the FedRAMP login service").group(group);
}

void bind_interaction(Parser& parser, NetworkFlags& flags) {
  const char* group = "Interaction";
  parser.add_flag("--batch", flags.batch, "never ask, never open a browser: fail with exit code 3")
      .group(group);
  parser.add_flag("--no-browser", flags.no_browser, "print the login URL only").group(group);
  parser
      .add_flag("--qr", flags.qr,
                "draw the login URL as a QR code, for a phone; opens no browser here")
      .group(group);
  parser.add_flag("--auto-close", flags.auto_close, "let the login page close itself").group(group);
  parser.add_flag("-v,--verbose", flags.verbose, "tell what happens, on stderr").group(group);
}

void bind_logging(Parser& parser, NetworkFlags& flags) {
  const char* group = "Logging";
  parser.add_option("--logfile", flags.log_file, "append the log to this file, as JSON lines")
      .group(group);
  parser
      .add_option("--log-directory", flags.log_directory,
                  "keep rotating log files in this directory")
      .group(group);
  parser.add_option("--log-level,--loglevel", flags.log_level, "debug, info, warn, error or fatal")
      .type_name("LEVEL")
      .group(group);
}

}  // namespace

void bind_network_flags(Parser& parser, NetworkFlags& flags, const Invocation& invocation) {
  parser.add_help_for_all("--help-all", "show the shared flags too");
  flags.fedramp = invocation.cloud == Invocation::Cloud::fedramp;
  bind_identity(parser, flags);
  bind_connection(parser, flags);
  bind_interaction(parser, flags);
  bind_logging(parser, flags);
}

std::vector<std::string> NetworkFlags::repeated() const {
  std::vector<std::string> result;
  const auto repeat = [&](const char* flag, const std::string& value) {
    if (!value.empty()) result.insert(result.end(), {flag, value});
  };
  const auto repeat_path = [&](const char* flag, const std::string& value) {
    if (!value.empty()) repeat(flag, is_pkcs11_uri(value) ? value : absolute_path(value));
  };
  if (!service_token_id.empty())
    repeat("--service-token-id",
           std::string(service_token_text(service_token_id, service_token_id_field)));
  repeat_path("--service-token-secret-file", service_token_secret_file);
  repeat_path("--cert", certificate);
  repeat_path("--key", key);
  repeat_path("--cert-password-file", certificate_password_file);
  repeat_path("--cacert", ca_file);
  repeat("--proxy", proxy);
  if (fedramp) result.push_back("--fedramp");
  if (batch) result.push_back("--batch");
  if (no_browser) result.push_back("--no-browser");
  if (qr) result.push_back("--qr");
  return result;
}

}  // namespace mayfly::cli
