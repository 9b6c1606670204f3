// Reads a certificate with its chain and private key from PEM and PKCS#12 files.
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

// Shows, by comparison, whether a file was replaced or rewritten.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::chrono::system_clock::time_point modified;
  bool operator==(const FileStamp&) const = default;
};
// Returns FileStamp() if the file is absent.
FileStamp stamp_of(const std::string& path);

// Whether the private key is expected in the certificate's file.
enum class WantKey { yes, no };

// Returns the certificates of a PEM file, with its private key (traditional or PKCS#8, encrypted or
// not) if want_key is yes; or the whole content of a PKCS#12 file. A file whose key is read must be
// closed to group and others. Throws Error(usage) with a hint.
KeyPair read_certificate_file(const std::string& path, WantKey want_key, PasswordCache& passwords);
// Returns the private key of a PEM or PKCS#12 file. Throws as above.
KeyPointer read_key_file(const std::string& path, PasswordCache& passwords);

}  // namespace mayfly
