// A fresh key pair and its files: ECDSA P-256 as cloudflared writes it, or Ed25519 in OpenSSH's own
// format.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "access/core/secret.hpp"

namespace mayfly::sshgen {

enum class KeyType { ecdsa, ed25519 };

struct KeyPair {
  KeyType type;
  Secret private_file;  // "-----BEGIN EC PRIVATE KEY-----" (SEC 1) or "-----BEGIN OPENSSH PRIVATE
                        // KEY-----"
  std::string public_blob;  // SSH wire format (RFC 5656 section 3.1, RFC 8709 section 4)
  Secret
      agent_private;  // the private part as SSH_AGENTC_ADD_IDENTITY wants it after the public part

  // "ecdsa-sha2-nistp256 AAAA...\n": what ssh-keygen -y prints.
  std::string public_line() const;
};

KeyPair generate_key_pair(KeyType type);

// The blob of an authorized_keys line; nothing when it is not "<type> <base64>[ comment]", perhaps
// with one line feed at its end, with the same type inside.
std::optional<std::string> public_blob_of_line(std::string_view line);

// The public blob that a private key file of the two formats above, unencrypted, carries beside its
// private part; nothing when it is none. It is read and not computed: cheap enough to ask before
// every ssh.
std::optional<std::string> public_blob_of_private_file(std::string_view content);

}  // namespace mayfly::sshgen
