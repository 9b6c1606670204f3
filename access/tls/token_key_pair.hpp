// A certificate and its private key on a PKCS#11 token (smart card, TPM, HSM), by RFC 7512 URI. The
// key stays there.
#pragma once

#include <openssl/ui.h>

#include <string>

#include "access/tls/openssl_owner.hpp"
#include "access/tls/password_cache.hpp"

namespace mayfly {

// Through OpenSSL's engine for tokens or, where there is none, its provider. The PKCS#11 module is
// the URI's module-path, or p11-kit's. The PIN comes from the URI (pin-value, pin-source) or is
// asked for. Throw Error(usage).
X509Pointer load_token_certificate(const std::string& uri, PasswordCache& passwords);
KeyPointer load_token_key(const std::string& uri, PasswordCache& passwords);

// How OpenSSL asks for a PIN; its user data is a Password.
UI_METHOD* pin_dialogue();

}  // namespace mayfly
