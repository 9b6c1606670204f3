// A PKCS#11 token through OpenSSL's engine `pkcs11` (libp11), the way of Debian 12.
#pragma once

#include <string>

#include "access/tls/openssl_owner.hpp"
#include "access/tls/password_cache.hpp"

namespace mayfly {

// Whether this OpenSSL has the engine. It is loaded once, with the module of the first URI. Throws
// Error(usage) when that module cannot be used.
bool have_token_engine(const std::string& uri);

// Null when they cannot be had; why is in OpenSSL's queue. Only where there is the engine.
X509Pointer certificate_by_engine(const std::string& uri, Password& pin);
KeyPointer key_by_engine(const std::string& uri, Password& pin);

}  // namespace mayfly
