#include "cli/curl/curl_certificate.hpp"

#include <cstdlib>
#include <fstream>

#include "access/system/platform.hpp"
#include "access/tls/pkcs11_uri.hpp"
#include "cli/curl/memory_file.hpp"
#include "cli/terminal/environment.hpp"

namespace mayfly::cli {
namespace {

constexpr int first_of_der = 0x30;  // a SEQUENCE, and no text

bool is_pkcs12(const std::string& path) {
  return !is_pkcs11_uri(path) && std::ifstream(path).peek() == first_of_der;
}

// Names the module to OpenSSL's engine and to its provider.
void name_module(const std::string& uri) {
  const std::string module = module_of(uri);
  if (!is_pkcs11_uri(uri) || module.empty()) return;
  for (const char* name : {"PKCS11_MODULE_PATH", "PKCS11_PROVIDER_MODULE"})
    ::setenv(name, module.c_str(), 1);
}

// Keeps the PIN from programs that curl starts.
void forget_pin(const char* name) {
  if (!pin_of(variable(name)).empty()) forget_variable(name);
}

std::vector<std::string> from_environment(IdentityFlags& flags) {
  flags.certificate = variable("MAYFLY_CERT");
  if (flags.certificate.empty()) return {};
  std::vector<std::string> arguments = {"--cert", certificate_for_curl(flags.certificate)};
  if (flags.key.empty()) flags.key = variable("MAYFLY_KEY");
  if (!flags.key.empty())
    arguments.insert(arguments.end(), {"--key", certificate_for_curl(flags.key)});
  for (const char* name : {"MAYFLY_CERT", "MAYFLY_KEY"}) forget_pin(name);
  return arguments;
}

std::optional<Secret> pin_in(const IdentityFlags& flags) {
  for (const std::string* source : {&flags.certificate, &flags.key}) {
    if (!is_pkcs11_uri(*source)) continue;
    if (std::string pin = pin_of(*source); !pin.empty()) return Secret(std::move(pin));
  }
  return std::nullopt;
}

}  // namespace

std::string certificate_for_curl(const std::string& source) {
  return is_pkcs11_uri(source) ? without_pin(without_module(source)) : source;
}

std::vector<std::string> certificate_arguments(CurlArguments& curl) {
  IdentityFlags& flags = curl.network.identity;
  if (flags.certificate_password_file.empty())
    flags.certificate_password_file = variable("MAYFLY_CERT_PASSWORD_FILE");
  std::vector<std::string> arguments;
  if (flags.certificate.empty()) arguments = from_environment(flags);
  if (!curl.names_certificate_type && is_pkcs12(flags.certificate))
    arguments.insert(arguments.end(), {"--cert-type", "P12"});
  for (const std::string* source : {&flags.certificate, &flags.key}) name_module(*source);
  return arguments;
}

CurlPassword password_for_curl(const std::optional<Secret>& asked, const IdentityFlags& flags) {
  const std::optional<Secret> password = asked ? asked : pin_in(flags);
  CurlPassword result;
  if (!password || password->empty()) return result;
  std::string line = "pass = \"";
  for (const char c : password->reveal()) {
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  line += "\"\n";
  result.file = anonymous_file(line);
  wipe(line);
  result.arguments = {"-K", path_of(result.file)};
  return result;
}

}  // namespace mayfly::cli
