// A client certificate for mutual TLS: leaf, chain and private key, from PEM or PKCS#12 files or
// from a PKCS#11 token.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "access/tls/handshake.hpp"
#include "access/tls/password_cache.hpp"

namespace mayfly {

struct ClientCertificateFiles {
  std::string certificate;  // path of a PEM or PKCS#12 file, or PKCS#11 token URI
  std::string key;          // path or URI; "" if the key is in the certificate's file
  AskPassword password = [](const std::string&) { return Secret(); };
};

class ClientCertificate {
 public:
  // Loads the key pair and checks it: the key's file is closed to group and others, the key belongs
  // to the certificate, and the certificate is valid at `now`. Throws Error(usage) with a hint.
  static std::shared_ptr<const ClientCertificate> load(const ClientCertificateFiles& files,
                                                       std::chrono::sys_seconds now);
  ~ClientCertificate();

  // Returns the facts of the leaf that was read last.
  const CertificateFacts& facts() const;

  // Installs leaf, chain and key in ssl_context, an SSL_CTX*. If the files have changed on disk,
  // reads them again first.
  void use_in(void* ssl_context) const;

 private:
  struct Impl;
  explicit ClientCertificate(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mayfly
