// A PKCS#11 token through OpenSSL's provider `pkcs11`, where there are no engines any more.
#pragma once

#include <string>

#include "access/tls/openssl_owner.hpp"
#include "access/tls/password_cache.hpp"

namespace mayfly {

// Whether this OpenSSL has the provider. It is loaded once, with the module of the first URI.
bool have_token_provider(const std::string& uri);

// Null when they cannot be had; why is in OpenSSL's queue. Only where there is the provider.
X509Pointer certificate_by_provider(const std::string& uri, Password& pin);
KeyPointer key_by_provider(const std::string& uri, Password& pin);

}  // namespace mayfly
