// Stores the key, public key and certificate of an application in the state directory.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "access/core/url.hpp"
#include "access/system/files.hpp"
#include "sshgen/certificate.hpp"
#include "sshgen/keypair.hpp"
#include "sshgen/sign.hpp"

namespace mayfly::sshgen {

// The names "<host[-path]>-cf_key", "...-cf_key.pub" and "...-cf_key-cert.pub" (docs/protocol.md
// section 3).
struct KeyFiles {
  std::string key, public_key, certificate;
  // "<host[-path]>-agent-cert.pub": a copy of the certificate in the agent, by which an ssh_config
  // block tells ssh which of the agent's keys to offer.
  std::string agent_certificate;
  // "<host[-path]>-own_key.pub" and "...-own_key-cert.pub", for a key of the person's own.
  std::string own_public_key, own_certificate;
};
KeyFiles key_files(const Url& url);
// Does the same for a host[-path] that was read from a file name. Throws Error if no file may have
// such a name.
KeyFiles key_files_at(std::string_view place);
// Returns key_files(url).key.
std::string key_file_name(const Url& url);

// The state of the three files.
struct OnDisk {
  enum class State {
    absent,      // there is no certificate
    mismatched,  // a file is missing or broken, or the three do not belong together (after a crash)
    ended,       // the certificate is expired, about to expire, or not valid yet
    valid,
  } state = State::absent;
  std::optional<Certificate> certificate;  // if ended or valid
};

// Reads a file of these. Returns nullopt if it is absent, and an empty text, which is replaced like
// a broken key, if it is a link, a directory or too large.
std::optional<Secret> read_key_file(const StateDirectory& state, const std::string& name);

// Reads and compares the three files. It uses no network, lock or cryptography, since it runs
// before every ssh. Files that cannot be read count as broken.
OnDisk look_on_disk(const StateDirectory& state, const Url& url, std::chrono::sys_seconds now);
OnDisk look_on_disk(const StateDirectory& state, const KeyFiles& names,
                    std::chrono::sys_seconds now);

// Returns the certificate if the three files belong together and it is usable
// (Certificate::usable_at).
std::optional<Certificate> valid_on_disk(const StateDirectory& state, const Url& url,
                                         std::chrono::sys_seconds now);

// Replaces the three files. If it is killed, some files may be missing, but those that are left
// belong together.
void write_to_disk(const StateDirectory& state, const Url& url, const KeyPair& pair,
                   const Signed& made);

// Writes the copy of the certificate in the agent, unless the file already has this content.
void write_agent_certificate(const StateDirectory& state, const Url& url,
                             const Certificate& certificate);

// Removes all six files. Returns whether any of them existed.
bool remove_from_disk(const StateDirectory& state, const Url& url);
bool remove_from_disk(const StateDirectory& state, const KeyFiles& names);

}  // namespace mayfly::sshgen
