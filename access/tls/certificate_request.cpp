#include "access/tls/certificate_request.hpp"

namespace mayfly {
namespace {

std::string any_of(const std::vector<std::string>& issuers) {
  std::string all;
  for (const std::string& issuer : issuers) all += (all.empty() ? "\"" : " or \"") + issuer + "\"";
  return all;
}

}  // namespace

std::string CertificateRequest::text() const {
  if (!asked) return "the edge did not ask for a client certificate";
  const std::string wanted =
      acceptable_issuers.empty() ? "" : " issued by " + any_of(acceptable_issuers);
  if (sent.empty()) return "the edge asked for a client certificate" + wanted + "; none was sent";
  return "the client certificate sent was " + sent +
         (wanted.empty() ? "" : "; the edge asked for one" + wanted);
}

}  // namespace mayfly
