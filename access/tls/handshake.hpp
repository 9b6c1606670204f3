// What a TLS handshake showed, kept so that a failure can be explained: the server's certificate,
// what it asked of ours, and the alert it ended with.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/tls/certificate_request.hpp"

using X509 = struct x509_st;
using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace mayfly {

// The facts of a certificate a person asks for; printable.
struct CertificateFacts {
  std::string subject;             // RFC 2253
  std::string issuer;              // RFC 2253
  std::string common_name;         // of the subject; "" when there is none
  std::vector<std::string> names;  // DNS names and addresses it is for
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
};
CertificateFacts facts_of(const X509* certificate);

// A time as people read it: "2026-01-31 17:05 UTC".
std::string date_text(std::chrono::sys_seconds time);

// "subject", issued by "issuer", valid from ... to ...
std::string certificate_text(const CertificateFacts& facts);

struct HandshakeReport {
  struct FreeX509 {
    void operator()(X509* certificate) const noexcept;
  };
  using Certificate = std::unique_ptr<X509, FreeX509>;

  bool begun = false;        // the server was reached, and TLS begun
  Certificate server;        // the leaf the server presented; none when the session was resumed
  Certificate rejected;      // the certificate of its chain that verification stumbled over
  int verify_error = 0;      // X509_V_ERR_..., 0 when the chain is trusted
  std::optional<int> alert;  // the fatal alert the server sent (RFC 8446 section 6)

  // Makes it fit for a new attempt.
  void clear_failure();

  // Kept when a later session is resumed, since nothing is asked again then.
  CertificateRequest request;

  // "TLS alert 116 (certificate required)"; "" without an alert.
  std::string alert_text() const;
  // Whether the alert says that the client certificate was missing or not good enough.
  bool client_certificate_refused() const;
};

// The chain was found to be expired, or not valid yet.
bool is_about_dates(const HandshakeReport& report);

// Makes the context write to the report, which must outlive its connections. For verification to be
// seen it goes after everything else that was set in the context.
void watch_handshake(SSL_CTX* context, HandshakeReport* report);
// The same for one connection of a context that several share.
void watch_handshake(SSL* ssl, HandshakeReport* report);

// For the context's certificate callback (SSL_CTX_set_cert_cb): what the server asked for.
void note_certificate_request(SSL* ssl, HandshakeReport& report);

}  // namespace mayfly
