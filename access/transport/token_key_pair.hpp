// A certificate and its private key on a PKCS#11 token (smart card, TPM, HSM), by RFC 7512 URI. The
// key stays there.
#pragma once

#include <string>
#include <string_view>

#include "access/transport/openssl_owner.hpp"
#include "access/transport/password_cache.hpp"

namespace mayfly {

bool is_token_uri(std::string_view text);

// The URI without its PIN, fit to be shown.
std::string shown_uri(std::string_view uri);

// Through OpenSSL's pkcs11 provider or, where that is not installed, the pkcs11 engine. The PKCS#11
// module is the URI's module-path, or p11-kit's. The PIN comes from the URI (pin-value, pin-source)
// or is asked for. Throw Error(usage).
X509Pointer load_token_certificate(const std::string& uri, PasswordCache& passwords);
KeyPointer load_token_key(const std::string& uri, PasswordCache& passwords);

}  // namespace mayfly
