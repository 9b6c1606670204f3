// Reads the public keys of a signer, as the dashboard shows them and as sshd's TrustedUserCAKeys
// takes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mayfly::sshgen {

struct AuthorityKey {
  std::string type;  // "ecdsa-sha2-nistp256"
  std::string line;  // "type base64 comment"; no comment if it is not printable
};

// Returns the keys of a text with one on each line; blank lines and comments ("#") are left out.
// `source` names the text in messages. Throws Error(usage) with a hint for a private key, a
// certificate, a key of another format or with options before it, an unknown type, and for a text
// without any key.
std::vector<AuthorityKey> parse_authority_keys(std::string_view text, std::string_view source);

// Returns the type of each key. Throws as parse_authority_keys() does.
std::vector<std::string> authority_key_types(std::string_view text, std::string_view source);

}  // namespace mayfly::sshgen
