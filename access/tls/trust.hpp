// Which certification authorities are trusted: those the user named, or the system's.
#pragma once

#include <span>
#include <string>

#include "access/tls/connection_options.hpp"

namespace mayfly {

struct Trust {
  std::string file;       // PEM bundle
  std::string directory;  // hashed directory (openssl-rehash)
};

// The user's choice alone, or the system's when there is none. Both empty: libcurl's own default.
// Throws Error(usage) when what the user named cannot be read.
Trust trust_of(const ConnectionOptions& options);

// The first directory that holds hashed certificates, or else the first bundle that is there. A
// directory is read on demand, while a bundle is parsed whole: 14.5 ms and 1.4 MB for Debian's.
Trust find_system_trust(std::span<const char* const> directories,
                        std::span<const char* const> bundles);

}  // namespace mayfly
