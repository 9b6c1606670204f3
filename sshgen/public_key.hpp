// Reads SSH public keys (RSA, ECDSA, Ed25519) in wire format and verifies signatures with them.
#pragma once

#include <string_view>

#include "sshgen/wire.hpp"

namespace mayfly::sshgen {

// Reads the fields that follow the type name in a public key blob: RSA (RFC 4253 section 6.6),
// ECDSA on the three NIST curves (RFC 5656 section 3.1), Ed25519 (RFC 8709 section 4). Returns
// false for any other type and for fields that are not a key of that type.
bool read_public_fields(WireReader& reader, std::string_view type);

// Returns whether this is the name of one of these types.
bool is_known_type(std::string_view type);

// Returns whether the blob is a key of one of these types with no bytes after it.
bool is_public_key(std::string_view blob);

// Returns whether the blob is such a key, or by the wire format one of a type that is not known:
// the name of the type, and strings. A certificate is none.
bool is_key_blob(std::string_view blob);

// Verifies a signature "string algorithm, string blob" (RFC 4253 section 6.6, RFC 8332, RFC 5656,
// RFC 8709). RSA signatures must use SHA-2. Returns false for everything that does not verify.
bool verifies(std::string_view public_blob, std::string_view signature, std::string_view message);

}  // namespace mayfly::sshgen
