// Having a public key certified by the team's signer (docs/protocol.md section 3).
#pragma once

#include <chrono>
#include <string>

#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/identity/token_store.hpp"
#include "sshgen/certificate.hpp"

namespace mayfly::sshgen {

struct Signed {
  std::string line;  // as it goes to disk, with one line feed at the end
  Certificate certificate;
};

// Thrown for a token the signer does not take (401, 403, "unauthorized"): worth one new token. Not
// for an HTML page, which some proxy or firewall made without looking at the token.
class TokenRejected : public Error {
 public:
  using Error::Error;
};

// A subject for the signer: application and token, as Credentials grants them.
struct Subject {
  const Application& application;
  const StoredToken& token;
};

// POSTs to https://<auth domain>/cdn-cgi/access/cert_sign; the token's issuer must be that auth
// domain, and nothing is sent when it is not. Everything that comes back is checked (objection_to).
// Throws TokenRejected, Error(refused) for other 4xx, Error(network) for 5xx, Error(protocol); the
// signer's own words are shown.
Signed request_certificate(const Send& send, const Subject& subject, const std::string& public_line,
                           std::chrono::sys_seconds now);

}  // namespace mayfly::sshgen
