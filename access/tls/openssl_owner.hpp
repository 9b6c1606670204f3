// Owners of OpenSSL's objects, and its error queue.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "access/core/release.hpp"

namespace mayfly {

using BioPointer = std::unique_ptr<BIO, Release<BIO_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using X509Pointer = std::unique_ptr<X509, Release<X509_free>>;
using Pkcs12Pointer = std::unique_ptr<PKCS12, Release<PKCS12_free>>;
using SslContextPointer = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;

inline void free_x509_stack(STACK_OF(X509) * stack) noexcept {
  sk_X509_pop_free(stack, X509_free);
}
using X509StackPointer = std::unique_ptr<STACK_OF(X509), Release<free_x509_stack>>;

// Empties OpenSSL's error queue and returns the reason of the first error. An error that stays in
// the queue would be attributed to a later call.
inline std::string take_openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown error";
}

}  // namespace mayfly
