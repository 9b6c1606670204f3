// What the certificate of a server has to satisfy: a trusted authority issued it, for the right
// name.
#pragma once

#include <openssl/x509_vfy.h>

#include <span>
#include <string>

#include "access/tls/connection_options.hpp"

namespace mayfly {

// Certification authorities. If both members are "", libcurl's and OpenSSL's default applies.
struct Trust {
  std::string file;       // PEM bundle
  std::string directory;  // hashed directory (openssl-rehash)
};

// Returns the authorities that the user named, or the system's if there are none. Throws
// Error(usage) if the user named a file or directory that cannot be read.
Trust trust_of(const ConnectionOptions& options);

// Returns the first directory that holds hashed certificates, or else the first bundle that can be
// read. A directory is read on demand, but a bundle as a whole: 14.5 ms and 1.4 MB for Debian's.
Trust find_system_trust(std::span<const char* const> directories,
                        std::span<const char* const> bundles);

// Makes verification demand a certificate for `host` (a name, or an address without brackets). The
// name has to be among the subjectAltNames: the common name does not count (RFC 9525 section 6.3),
// and a wildcard stands for a whole label. Throws Error(failed) if OpenSSL rejects the name.
void demand_server_name(X509_VERIFY_PARAM* verification, const std::string& host);

// Whether this is an IPv4 address, or an IPv6 address without brackets.
bool is_address(const std::string& host);

}  // namespace mayfly
