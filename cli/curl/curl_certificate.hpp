// The client certificate, as curl is told of it: what its own command line leaves open.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/core/secret.hpp"
#include "access/system/descriptor.hpp"
#include "cli/curl/curl_arguments.hpp"

namespace mayfly::cli {

// Where the command line names none, that of MAYFLY_CERT and MAYFLY_KEY, for curl as for us; a
// PKCS#12 file is called one. curl.network is completed. The module of a pkcs11: URI goes into the
// environment, since neither curl nor OpenSSL's engine takes it from there.
std::vector<std::string> certificate_arguments(CurlArguments& curl);

// What curl is told instead of a certificate or key: a pkcs11: URI without its module and PIN.
std::string certificate_for_curl(const std::string& source);

// The password of the key for curl, or the PIN of the token, as a configuration file that only it
// can see.
struct CurlPassword {
  std::vector<std::string> arguments;
  Descriptor file;  // named in the arguments
};
// asked: what had to be asked for; otherwise it is in the pkcs11: URI, or there is none.
CurlPassword password_for_curl(const std::optional<Secret>& asked, const NetworkFlags& flags);

}  // namespace mayfly::cli
