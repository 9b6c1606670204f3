// A certificate and its private key on a PKCS#11 token (smart card, TPM, HSM). The key stays on the
// token.
#pragma once

#include <string>

#include "access/tls/openssl_owner.hpp"
#include "access/tls/password_cache.hpp"

namespace mayfly {

// Load the object that a PKCS#11 token URI names, through OpenSSL's engine "pkcs11" or, if OpenSSL
// has no such engine, its provider "pkcs11". The PKCS#11 module is the URI's module-path, or
// p11-kit's. The PIN comes from the URI (pin-value, pin-source) or from `passwords`. Throw
// Error(usage).
X509Pointer load_pkcs11_certificate(const std::string& uri, PasswordCache& passwords);
KeyPointer load_pkcs11_key(const std::string& uri, PasswordCache& passwords);

}  // namespace mayfly
