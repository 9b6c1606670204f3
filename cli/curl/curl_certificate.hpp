// The client certificate as arguments of curl.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/core/secret.hpp"
#include "access/system/descriptor.hpp"
#include "cli/curl/curl_arguments.hpp"

namespace mayfly::cli {

// Returns the arguments that curl needs besides its own: the certificate and key of MAYFLY_CERT and
// MAYFLY_KEY if the command line names none, and the type of a PKCS#12 file. Completes
// curl.network.identity. Puts the module of a pkcs11: URI into the environment, since neither curl
// nor OpenSSL's engine reads it in the URI.
std::vector<std::string> certificate_arguments(CurlArguments& curl);

// Returns a pkcs11: URI without its module and PIN; other sources as they are.
std::string certificate_for_curl(const std::string& source);

// The password of the key, or the PIN of the PKCS#11 token, as a configuration file for curl.
struct CurlPassword {
  std::vector<std::string> arguments;
  Descriptor file;  // named in the arguments
};
// asked: the password that the person typed; without it the PIN of a pkcs11: URI is taken.
CurlPassword password_for_curl(const std::optional<Secret>& asked, const IdentityFlags& flags);

}  // namespace mayfly::cli
