// A record of a TLS handshake, from which a failure can be explained: the server's certificate, its
// request for a client certificate, and its alert.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using X509 = struct x509_st;
using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace mayfly {

// The parts of an X.509 certificate that messages show; printable.
struct CertificateFacts {
  std::string subject;             // RFC 2253
  std::string issuer;              // RFC 2253
  std::string common_name;         // of the subject; "" if it has none
  std::vector<std::string> names;  // the DNS names and addresses that it is valid for
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
};
CertificateFacts facts_of(const X509* certificate);

// Returns: "SUBJECT", issued by "ISSUER", valid from DATE to DATE
std::string certificate_text(const CertificateFacts& facts);

// The server's request for a client certificate, and our answer. All texts are printable.
struct CertificateRequest {
  bool asked = false;  // the server sent a CertificateRequest (RFC 8446 section 4.3.2)
  std::string sent;    // certificate_text() of the client certificate that was sent; "" if none
  std::vector<std::string> acceptable_issuers;  // as named by the server, at most 20; may be empty

  // Returns a clause for a message: which certificate was asked for, and which was sent.
  std::string text() const;
};

struct HandshakeReport {
  struct FreeX509 {
    void operator()(X509* certificate) const noexcept;
  };
  using Certificate = std::unique_ptr<X509, FreeX509>;

  bool begun = false;        // the server was reached, and the handshake began
  Certificate server;        // the server's leaf; nullptr if the session was resumed
  Certificate rejected;      // the certificate in the server's chain that failed verification
  int verify_error = 0;      // X509_V_ERR_..., or 0 if the chain is trusted
  std::optional<int> alert;  // the server's fatal alert (RFC 8446 section 6)

  // Is kept by clear_failure(), since a server does not ask again when a session is resumed.
  CertificateRequest request;

  // Clears what a failed attempt left, before the next attempt.
  void clear_failure();

  // Returns for example "TLS alert 116 (certificate required)", or "" without an alert.
  std::string alert_text() const;
  // Whether the alert says that the client certificate is missing or not accepted.
  bool client_certificate_refused() const;
};

// Whether verification failed because a certificate has expired or is not valid yet.
bool is_about_dates(const HandshakeReport& report);

// Records the handshakes of a context in a report, which must outlive the context's connections.
// Call it after the verification mode is set.
void watch_handshake(SSL_CTX* context, HandshakeReport* report);
// The same for one connection of a shared context.
void watch_handshake(SSL* ssl, HandshakeReport* report);

// Records the server's request for a client certificate. For SSL_CTX_set_cert_cb().
void note_certificate_request(SSL* ssl, HandshakeReport& report);

}  // namespace mayfly
