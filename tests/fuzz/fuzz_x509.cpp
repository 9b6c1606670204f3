// What is told about a server's certificate.
#include "access/tls/handshake.hpp"
#include "access/tls/openssl_owner.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

const Harness harness("x509", [](std::string_view input) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(input.data());
  const X509Pointer certificate(d2i_X509(nullptr, &bytes, static_cast<long>(input.size())));
  ERR_clear_error();
  if (!certificate) return;
  const CertificateFacts facts = facts_of(certificate.get());
  for (const auto& text : {facts.subject, facts.issuer, facts.common_name})
    require(is_fit_to_show(text, 203), "a name is fit to be shown");
  require(facts.names.size() <= 20, "the names are few");
  for (const auto& name : facts.names)
    require(is_fit_to_show(name, 203), "a name is fit to be shown");
  require(is_fit_to_show(certificate_text(facts), 600), "all of it is fit to be shown");
});

}  // namespace
}  // namespace mayfly::fuzz
