// An SSH certificate: a line, or (when the first byte is zero) its blob.
#include "access/core/encoding.hpp"
#include "fuzz.hpp"
#include "property.hpp"
#include "sshgen/certificate.hpp"
#include "sshgen/public_key.hpp"

namespace mayfly::fuzz {
namespace {

using namespace sshgen;

void check(const Certificate& certificate) {
  require(certificate.blob.size() <= 64 * 1024 && certificate.principals.size() <= 256,
          "a certificate is bounded");
  require(is_key_blob(certificate.certified_key) && is_key_blob(certificate.signature_key),
          "its keys are keys");
  require(certificate.blob.find(certificate.signature) != std::string::npos,
          "its signature is in it");
  const auto line = certificate.type + " " + base64_encode(certificate.blob, Base64::standard);
  const auto again = parse_certificate(line);
  require(again && again->blob == certificate.blob, "as a line it is the same");
  if (certificate.usable_at(now))
    require(certificate.remaining_at(now).count() > 0, "what is usable lasts");
  if (certificate.valid_at(now))
    require(certificate.remaining_at(now).count() > 0, "what is valid lasts");
}

void check_judgement(const Certificate& certificate) {
  const auto objection = objection_to(certificate, certificate.certified_key, now);
  require(objection_to(certificate, "another key", now).has_value(), "another key is objected to");
  if (objection) return require(is_fit_to_show(objection->text, 400), "it is fit to be shown");
  require(certificate.role == 1 && !certificate.principals.empty() &&
              certificate.remaining_at(now).count() > 0 && signature_verifies(certificate),
          "what is not objected to may be used");
  Certificate changed = certificate;
  changed.blob[8] = static_cast<char>(changed.blob[8] ^ 1);
  require(!signature_verifies(changed), "a signature covers the certificate");
}

const Harness harness("certificate", [](std::string_view input) {
  const bool is_blob = input.starts_with('\0');
  const auto certificate = is_blob ? parse_certificate_blob(input) : parse_certificate(input);
  if (!certificate) return;
  if (is_blob) require(certificate->blob == input, "a blob is read to its end");
  check(*certificate);
  check_judgement(*certificate);
});

}  // namespace
}  // namespace mayfly::fuzz
