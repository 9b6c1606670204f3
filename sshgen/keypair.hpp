// Generates key pairs and reads key files: ECDSA P-256 in the format that cloudflared writes,
// Ed25519 in OpenSSH's own format.
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
      agent_private;  // the private fields of SSH_AGENTC_ADD_IDENTITY (draft-miller-ssh-agent 3.2)

  // Returns "ecdsa-sha2-nistp256 AAAA...\n", as ssh-keygen -y prints it.
  std::string public_line() const;
};

KeyPair generate_key_pair(KeyType type);

// Returns the public key blob of a line "<type> <base64>[ comment]", with or without a line feed at
// its end. Returns nullopt for any other line, and if the blob is of another type than the line
// says.
std::optional<std::string> public_blob_of_line(std::string_view line);

// Returns the public key blob that is stored in an unencrypted private key file of the two formats
// above, or nullopt for any other file. It is read and not computed, so that it costs little before
// every ssh.
std::optional<std::string> public_blob_of_private_file(std::string_view content);

}  // namespace mayfly::sshgen
