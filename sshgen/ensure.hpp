// `mayfly access ssh-gen`: a valid short-lived certificate, with its key, on disk.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "access/core/files.hpp"
#include "access/core/url.hpp"
#include "access/identity/credentials.hpp"
#include "sshgen/certificate.hpp"
#include "sshgen/keypair.hpp"

namespace mayfly::sshgen {

// "<host[-path]>-cf_key" (protocol.md section 3).
std::string key_file_name(const Url& url);

// The certificate on disk when all three files belong together and it is valid for a while yet; no network.
std::optional<Certificate> valid_on_disk(const StateDirectory& state, const Url& url,
                                         std::chrono::sys_seconds now);

struct EnsureOptions {
  KeyType key_type = KeyType::ecdsa;
  enum class Renew { when_needed, always } renew = Renew::when_needed;
};

// Makes it so: one signature however many processes ask at once (lock "<key file>.lock"), a new key pair for each
// certificate, the three files replaced so that a reader at any moment finds a pair that works or an old one.
// A token the signer rejects is renewed once.
Certificate ensure_certificate(const StateDirectory& state, const Url& url, const Credentials& credentials,
                               const Send& send, const EnsureOptions& options);

}  // namespace mayfly::sshgen
