// The name that a server's certificate has to be for.
#pragma once

#include <openssl/x509_vfy.h>

#include <string>

namespace mayfly {

// Makes verification demand a certificate for `host` (a name, or an address without brackets):
// among its subjectAltNames and not in its common name (RFC 9525 section 6.3), wildcards as whole
// labels only. Throws Error(failed) when OpenSSL does not take the name.
void demand_server_name(X509_VERIFY_PARAM* verification, const std::string& host);

bool is_address(const std::string& host);

}  // namespace mayfly
