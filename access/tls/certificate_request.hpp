// What a server asked of a client certificate in the handshake, and what it got.
#pragma once

#include <string>
#include <vector>

namespace mayfly {

// All texts are printable.
struct CertificateRequest {
  bool asked = false;  // there was a CertificateRequest (RFC 8446 section 4.3.2)
  std::string sent;    // subject, issuer and dates of what was sent; "" when nothing was
  std::vector<std::string>
      acceptable_issuers;  // as the server named them, at most 20; may be empty

  // One clause for an error or hint: what was sent and what was asked for.
  std::string text() const;
};

}  // namespace mayfly
