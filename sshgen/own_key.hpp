// A public key of the person's own, which is certified in place of a new one: its private half is
// in a file, in ssh-agent or in hardware, and mayfly never reads it.
#pragma once

#include <optional>
#include <string>

#include "sshgen/on_disk.hpp"

namespace mayfly::sshgen {

struct OwnKey {
  std::string type;  // "ssh-ed25519"
  std::string blob;  // SSH wire format
  std::string line;  // "<type> <base64>\n", without the comment
};

// Reads the line of a public key file. Throws Error(usage) with a hint for a file that begins as a
// private key, of which it reads no more than that, and for any other file that is no public key of
// one line, certificates among them; Error(failed) if the file cannot be read.
OwnKey read_own_key(const std::string& path);

// Returns the path that IdentityFile of ssh_config needs: that of the private key, which lies
// beside its ".pub" if it is in a file, and which ssh then does without if it is not.
std::string identity_file_of(const std::string& public_key_path);

// Reads and compares the certificate for the key, and the copy of the key, in the state directory.
// Uses no network, lock or cryptography. A certificate for another key counts as mismatched.
OnDisk look_at_own(const StateDirectory& state, const KeyFiles& names, const OwnKey& key,
                   std::chrono::sys_seconds now);
// Does the same for the key that the copy holds.
OnDisk look_at_own(const StateDirectory& state, const KeyFiles& names,
                   std::chrono::sys_seconds now);

// Replaces the certificate and the copy of the public key. Writes no private key.
void write_own(const StateDirectory& state, const Url& url, const OwnKey& key, const Signed& made);

}  // namespace mayfly::sshgen
