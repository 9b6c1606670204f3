// A certificate with its chain and private key, from PEM and PKCS#12 files.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "access/tls/openssl_owner.hpp"
#include "access/tls/password_cache.hpp"

namespace mayfly {

struct KeyPair {
  std::vector<X509Pointer> certificates;  // in the order of the file
  KeyPointer key;
};

// What tells that a file was replaced or rewritten.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::chrono::system_clock::time_point modified;
  bool operator==(const FileStamp&) const = default;
};
// All zero when the file is not there.
FileStamp stamp_of(const std::string& path);

// Whether a private key is wanted of the file, may be in it, or is looked for elsewhere.
enum class WantKey { yes, no };

// The certificates of a PEM file, and its private key (traditional or PKCS#8, encrypted or not); or
// all that a PKCS#12 file holds. A file with the key in use must be closed to group and others.
// Throws Error(usage) with a hint.
KeyPair read_certificate_file(const std::string& path, WantKey want_key, PasswordCache& passwords);
// The private key of a PEM or PKCS#12 file.
KeyPointer read_key_file(const std::string& path, PasswordCache& passwords);

}  // namespace mayfly
