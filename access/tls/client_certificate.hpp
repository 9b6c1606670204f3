// A client certificate for mutual TLS: leaf, chain and private key, from PEM, PKCS#12 or a pkcs11:
// URI.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "access/core/secret.hpp"

namespace mayfly {

struct ClientCertificateFiles {
  std::string certificate;  // path, PKCS#12 path, or "pkcs11:" URI
  std::string key;          // path or URI; "" when it is in the same file
  // Asked for the "password of FILE", of an encrypted key or PKCS#12 file, or the "PIN of URI", at
  // most once for each; empty answer: none.
  std::function<Secret(const std::string& what)> password = [](const std::string&) {
    return Secret();
  };
};

class ClientCertificate {
 public:
  // Loads and checks: readable by nobody else (key), key matches certificate, valid now. Throws
  // Error(usage) for what is wrong with the files, with a hint, before any connection.
  static std::shared_ptr<const ClientCertificate> load(const ClientCertificateFiles& files,
                                                       std::chrono::sys_seconds now);
  ~ClientCertificate();

  std::string subject() const;
  std::string issuer() const;
  std::string common_name() const;
  std::chrono::sys_seconds not_before() const;
  std::chrono::sys_seconds not_after() const;

  // ssl_context: an SSL_CTX*. Presents leaf and intermediates when asked. A connection made after
  // the files changed on disk presents the new ones.
  void use_in(void* ssl_context) const;

 private:
  struct Impl;
  explicit ClientCertificate(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mayfly
