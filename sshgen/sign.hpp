// Requests a certificate for a public key from the team's signer (docs/protocol.md section 3).
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/identity/token_store.hpp"
#include "sshgen/certificate.hpp"

namespace mayfly::sshgen {

struct Signed {
  std::string line;  // the content of the "-cert.pub" file, with one line feed at its end
  Certificate certificate;
};

// Says that the signer rejected the token (401, 403, "unauthorized", or a mark of Access that wants
// a login), so that a new token may help. An HTML page without that mark is no such rejection: a
// proxy or firewall made it without looking at the token.
class TokenRejected : public Error {
 public:
  using Error::Error;
};

// The application has no short-lived certificates, or none for this identity. Another login does
// not help.
class NoCertificates : public Error {
 public:
  using Error::Error;
};

// The application and the token that the certificate is requested with, as Credentials grants them.
struct Subject {
  const Application& application;
  const StoredToken& token;
  std::function<void()> before_sending = {};  // as Request::before_sending
};

// Sends the public key and the token to https://<team domain>/cdn-cgi/access/cert_sign and returns
// the certificate, checked by objection_to(). Sends nothing if the token's issuer is not that team
// domain. Throws TokenRejected, Error(refused) for other 4xx, Error(network) for 5xx, and
// Error(protocol), and NoCertificates; the messages quote the signer.
Signed request_certificate(const Send& send, const Subject& subject, const std::string& public_line,
                           std::chrono::sys_seconds now);

}  // namespace mayfly::sshgen
