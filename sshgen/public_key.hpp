// SSH public keys of the kinds that certificates use: their wire form, and signatures made with
// them.
#pragma once

#include <string_view>

#include "sshgen/wire.hpp"

namespace mayfly::sshgen {

// Reads the fields that follow the type name in a public key blob: RSA (RFC 4253 section 6.6),
// ECDSA on the three NIST curves (RFC 5656 section 3.1), Ed25519 (RFC 8709 section 4). False when
// the type is another one or the fields are no such key.
bool read_public_fields(WireReader& reader, std::string_view type);

// A whole blob of one of these kinds, with nothing left over.
bool is_public_key(std::string_view blob);

// signature: "string algorithm, string blob" (RFC 4253 section 6.6, RFC 8332, RFC 5656, RFC 8709).
// RSA only with SHA-2. False for anything that does not verify.
bool verifies(std::string_view public_blob, std::string_view signature, std::string_view message);

}  // namespace mayfly::sshgen
