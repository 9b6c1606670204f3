// An OpenSSH user certificate (PROTOCOL.certkeys), read and judged.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::sshgen {

struct Certificate {
  std::string type;  // "ecdsa-sha2-nistp256-cert-v01@openssh.com"
  std::uint64_t serial = 0;
  std::uint32_t role = 0;  // 1 user, 2 host
  std::string key_id;
  std::vector<std::string> principals;
  std::uint64_t valid_after = 0, valid_before = 0;  // seconds since the epoch; before is exclusive
  std::vector<std::string> critical_options;
  std::string certified_key;  // public blob of the key it certifies
  std::string signature_key;  // public blob of the CA
  std::string signature;      // "string algorithm, string blob"
  std::string blob;           // the whole certificate

  bool valid_at(std::chrono::sys_seconds now) const;
  // Valid now and for a while yet: a login that starts now can still be made with it. That is 30 s,
  // or a third of a validity shorter than two minutes, so that such a certificate is used at all. A
  // start up to 5 minutes ahead is taken for a clock behind the signer's.
  bool usable_at(std::chrono::sys_seconds now) const;
  // Until it ends, 0 when it has ended.
  std::chrono::seconds remaining_at(std::chrono::sys_seconds now) const;
};

// Strict: one line (one line feed at its end is fine), known type, all fields in bounds, options in
// order, nothing left over. Nothing otherwise. ECDSA, Ed25519 and RSA keys.
std::optional<Certificate> parse_certificate(std::string_view line);
// The same for the decoded blob, as an agent lists it.
std::optional<Certificate> parse_certificate_blob(std::string_view blob);

// Verifies the CA's signature over the certificate with the CA key inside it (it proves integrity,
// not trust: the server decides whom it trusts).
bool signature_verifies(const Certificate& certificate);

struct Objection {
  std::string text;                                  // fit to be shown
  enum class To { content, time } to = To::content;  // time: or this machine's clock is off
};
// Why a certificate that came from the signer must not be used with this key, nothing when it may:
// other key, host certificate, expired or not yet valid, broken signature, no principal, unknown
// critical option.
std::optional<Objection> objection_to(const Certificate& certificate, std::string_view public_blob,
                                      std::chrono::sys_seconds now);

}  // namespace mayfly::sshgen
