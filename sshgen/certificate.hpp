// Reads and checks OpenSSH user certificates (PROTOCOL.certkeys).
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
  // Returns whether the certificate is valid now and for long enough that a login which starts now
  // succeeds: for 30 s more, or for a third of a validity that is shorter than two minutes. A
  // valid_after up to 5 minutes in the future counts as a local clock that is behind the signer's.
  bool usable_at(std::chrono::sys_seconds now) const;
  // Returns the time until the certificate expires; 0 if it has expired.
  std::chrono::seconds remaining_at(std::chrono::sys_seconds now) const;
};

// Parses the line of a "-cert.pub" file, with or without a line feed at its end. A key of another
// kind than ECDSA, Ed25519 and RSA (FIDO keys, for example) is passed over by the wire format: it
// is one to eight strings. Returns nullopt if the type is none of a certificate, if a field exceeds
// its bounds, if options are out of order, or if bytes follow the last field.
std::optional<Certificate> parse_certificate(std::string_view line);
// Does the same for a decoded certificate, as an agent lists it.
std::optional<Certificate> parse_certificate_blob(std::string_view blob);

// Verifies the signature over the certificate with the CA key that the certificate names. That
// proves integrity only; the server decides which CA it trusts.
bool signature_verifies(const Certificate& certificate);

struct Objection {
  std::string text;                                  // printable
  enum class To { content, time } to = To::content;  // time: this machine's clock may be wrong, too
};
// Returns why a certificate from the signer must not be used with this key, or nullopt if it may be
// used. Reasons: it certifies another key, is a host certificate, is expired or not valid yet, has
// a broken signature, names no principal, or has an unknown critical option.
std::optional<Objection> objection_to(const Certificate& certificate, std::string_view public_blob,
                                      std::chrono::sys_seconds now);

}  // namespace mayfly::sshgen
