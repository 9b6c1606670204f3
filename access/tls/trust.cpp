#include "access/tls/trust.hpp"

#include <dirent.h>
#include <fmt/core.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "access/core/encoding.hpp"
#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/release.hpp"
#include "access/core/text.hpp"
#include "access/tls/openssl_owner.hpp"

namespace mayfly {
namespace {

constexpr std::array system_directories = {
    "/etc/ssl/certs",                // Debian, Ubuntu, Arch, Alpine, openSUSE
    "/etc/pki/tls/certs",            // Fedora, RHEL
    "/etc/openssl/certs",            // NetBSD
    "/system/etc/security/cacerts",  // Android
};
constexpr std::array system_bundles = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Gentoo, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // RHEL
    "/etc/ssl/ca-bundle.pem",                             // openSUSE
    "/etc/ssl/cert.pem",                                  // Alpine, macOS, FreeBSD, OpenBSD
    "/usr/local/share/certs/ca-root-nss.crt",             // FreeBSD
};

// Whether `openssl rehash` makes such names: eight hexadecimal digits and ".0".
bool is_hash_name(std::string_view name) {
  return name.size() == 10 && name.ends_with(".0") &&
         name.substr(0, 8).find_first_not_of(hex_digits) == std::string_view::npos;
}

bool is_hashed_directory(const char* path) {
  const std::unique_ptr<DIR, Release<closedir>> directory(opendir(path));
  if (!directory) return false;
  while (const dirent* entry = readdir(directory.get())) {
    if (is_hash_name(entry->d_name)) return true;
  }
  return false;
}

// Checks early, since libcurl reports an unreadable file only when it connects, and without errno.
void check_readable(const std::string& path) {
  if (path.empty() || access(path.c_str(), R_OK) == 0) return;
  throw Error(ErrorKind::usage,
              fmt::format("cannot read the trusted certificates in {}: {}", printable(path),
                          std::strerror(errno)),
              "check --cacert, SSL_CERT_FILE and SSL_CERT_DIR");
}

}  // namespace

Trust find_system_trust(std::span<const char* const> directories,
                        std::span<const char* const> bundles) {
  for (const char* directory : directories) {
    if (is_hashed_directory(directory)) return {.file = "", .directory = directory};
  }
  for (const char* bundle : bundles) {
    if (access(bundle, R_OK) == 0) return {.file = bundle, .directory = ""};
  }
  return {};
}

Trust trust_of(const ConnectionOptions& options) {
  if (!options.ca_file.empty() || !options.ca_directory.empty()) {
    check_readable(options.ca_file);
    check_readable(options.ca_directory);
    return {.file = options.ca_file, .directory = options.ca_directory};
  }
  static const Trust system = find_system_trust(system_directories, system_bundles);
  return system;
}

bool is_address(const std::string& host) {
  return is_ipv4(host) || is_ipv6(host);
}

void demand_server_name(X509_VERIFY_PARAM* verification, const std::string& host) {
  X509_VERIFY_PARAM_set_hostflags(
      verification, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const int taken = is_address(host)
                        ? X509_VERIFY_PARAM_set1_ip_asc(verification, host.c_str())
                        : X509_VERIFY_PARAM_set1_host(verification, host.c_str(), host.size());
  if (taken != 1)
    throw Error(ErrorKind::failed,
                fmt::format("cannot set up TLS: server name: {}", take_openssl_error()));
}

}  // namespace mayfly
