// The key, public key and certificate of an application in the state directory.
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

// "<host[-path]>-cf_key" and its two companions (docs/protocol.md section 3).
struct KeyFiles {
  std::string key, public_key, certificate;
};
KeyFiles key_files(const Url& url);
// The same for a host[-path] that was taken from a file name.
KeyFiles key_files_at(std::string_view place);
// key_files(url).key
std::string key_file_name(const Url& url);

// What a look at the three files says.
struct OnDisk {
  enum class State {
    absent,      // no certificate there
    mismatched,  // files missing, broken, or not belonging together: a crash, or two tools at once
    ended,       // expired, or too soon to be used, or not valid yet
    valid,
  } state = State::absent;
  std::optional<Certificate> certificate;  // when ended or valid
};

// Reads and compares; no network, no lock, no cryptography: it runs before every ssh. Files that
// cannot be read count as broken.
OnDisk look_on_disk(const StateDirectory& state, const Url& url, std::chrono::sys_seconds now);
OnDisk look_on_disk(const StateDirectory& state, const KeyFiles& names,
                    std::chrono::sys_seconds now);

// The certificate when all three files belong together and it is valid for a while yet
// (Certificate::usable_at).
std::optional<Certificate> valid_on_disk(const StateDirectory& state, const Url& url,
                                         std::chrono::sys_seconds now);

// Replaces the three files. Cut short, it leaves fewer of them, and only such as belong together.
void write_to_disk(const StateDirectory& state, const Url& url, const KeyPair& pair,
                   const Signed& made);

// True when something was there.
bool remove_from_disk(const StateDirectory& state, const Url& url);
bool remove_from_disk(const StateDirectory& state, const KeyFiles& names);

}  // namespace mayfly::sshgen
