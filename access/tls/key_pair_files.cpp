#include "access/tls/key_pair_files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "access/core/error.hpp"
#include "access/core/secret.hpp"
#include "access/core/text.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/file_time.hpp"

namespace mayfly {
namespace {

constexpr std::size_t max_file_size = 1 << 20;
constexpr std::size_t max_certificates = 32;

Error unusable(const std::string& path, std::string_view why, std::string hint) {
  return {ErrorKind::usage, fmt::format("cannot use {}: {}", printable(path), why),
          std::move(hint)};
}

// A file's content, which is wiped at the end, and its permissions.
struct Content {
  std::string path;
  std::string bytes;
  mode_t mode = 0;

  Content() = default;
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;
  ~Content() { wipe(bytes); }

  BioPointer bio() const {
    BioPointer source(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
    if (!source) throw std::bad_alloc();
    return source;
  }
};

void read_file(const std::string& path, Content& content) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) {
    throw unusable(path, std::strerror(errno), "check --cert and --key");
  }
  if (!S_ISREG(status.st_mode)) throw unusable(path, "it is no regular file", "");
  if (status.st_size <= 0) throw unusable(path, "it is empty", "");
  if (static_cast<std::size_t>(status.st_size) > max_file_size) {
    throw unusable(path, "it is larger than 1 MiB", "");
  }
  content.path = path;
  content.mode = status.st_mode;
  content.bytes.resize(static_cast<std::size_t>(status.st_size));
  const auto got = read_all(file.get(), content.bytes);
  if (got < status.st_size)
    throw unusable(path, got < 0 ? std::strerror(errno) : "it is being written", "");
}

void check_private(const Content& content) {
  if ((content.mode & (S_IRWXG | S_IRWXO)) == 0) return;
  throw unusable(content.path,
                 fmt::format("it holds a private key that others can get at (mode {:04o})",
                             content.mode & 07777),
                 fmt::format("run: chmod 600 {}", pasted_word(printable(content.path))));
}

Error bad_password(const std::string& path, const Password& password) {
  if (!password.known()) {
    return unusable(path, "it is encrypted and there is no password",
                    "give the password with --cert-password-file FILE");
  }
  return unusable(path, "the password is wrong", "check --cert-password-file or what you typed");
}

Password& password_of(const Content& content, PasswordCache& passwords) {
  return passwords.of("password of " + printable(content.path));
}

bool has_private_key(const Content& content) {
  return content.bytes.find("PRIVATE KEY-----") != std::string::npos;
}

// Checks the file before it asks for the password.
KeyPointer pem_key(const Content& content, PasswordCache& passwords) {
  if (!has_private_key(content)) {
    throw unusable(content.path, "there is no private key in it", "name the key's file with --key");
  }
  check_private(content);
  Password& password = password_of(content, passwords);
  const BioPointer source = content.bio();
  KeyPointer key(PEM_read_bio_PrivateKey(source.get(), nullptr, &Password::on_pem, &password));
  const std::string why = take_openssl_error();
  password.rethrow();
  if (!key && password.wanted()) throw bad_password(content.path, password);
  if (!key) {
    throw unusable(content.path, fmt::format("its private key cannot be read: {}", why),
                   "a PEM key, traditional or PKCS#8, is wanted");
  }
  return key;
}

std::vector<X509Pointer> pem_certificates(const Content& content) {
  std::vector<X509Pointer> certificates;
  const BioPointer source = content.bio();
  while (X509* certificate = PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
    if (certificates.size() > max_certificates) {
      throw unusable(content.path, "it holds more than 32 certificates", "");
    }
  }
  const unsigned long error = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  const std::string why = take_openssl_error();
  if (!at_end) {
    throw unusable(content.path, fmt::format("a certificate in it cannot be read: {}", why), "");
  }
  return certificates;
}

Pkcs12Pointer as_pkcs12(const Content& content) {
  if (content.bytes[0] != '\x30') return nullptr;  // an ASN.1 SEQUENCE; PEM is text
  Pkcs12Pointer file(d2i_PKCS12_bio(content.bio().get(), nullptr));
  ERR_clear_error();
  return file;
}

// Returns the password, or nullopt if it is wrong. PKCS#12 has two encodings of an empty password.
std::optional<Secret> pkcs12_password(PKCS12* file, Password& password) {
  if (PKCS12_mac_present(file) == 0) return password.get();
  if (PKCS12_verify_mac(file, nullptr, 0) == 1 || PKCS12_verify_mac(file, "", 0) == 1)
    return Secret();
  ERR_clear_error();
  const Secret& answer = password.get();
  if (PKCS12_verify_mac(file, answer.c_str(), -1) != 1) return {};
  return answer;
}

bool parse_pkcs12(PKCS12* file, const Secret& password, KeyPair& pair) {
  EVP_PKEY* key = nullptr;
  X509* leaf = nullptr;
  STACK_OF(X509)* others = nullptr;
  if (PKCS12_parse(file, password.c_str(), &key, &leaf, &others) != 1) return false;
  pair.key.reset(key);
  const X509StackPointer chain(others);
  if (leaf != nullptr) pair.certificates.emplace_back(leaf);
  while (X509* next = sk_X509_shift(chain.get())) pair.certificates.emplace_back(next);
  return true;
}

KeyPair read_pkcs12(PKCS12* file, const Content& content, PasswordCache& passwords) {
  check_private(content);
  Password& asked = password_of(content, passwords);
  const std::optional<Secret> password = pkcs12_password(file, asked);
  if (!password) {
    ERR_clear_error();
    throw bad_password(content.path, asked);
  }
  KeyPair pair;
  if (parse_pkcs12(file, *password, pair)) return pair;
  // Files of older tools are encrypted with RC2 or 3DES, which OpenSSL 3 moved to its legacy
  // provider.
  const std::unique_ptr<OSSL_PROVIDER, Release<OSSL_PROVIDER_unload>> legacy(
      OSSL_PROVIDER_try_load(nullptr, "legacy", 1));
  ERR_clear_error();
  if (parse_pkcs12(file, *password, pair)) return pair;
  const std::string why = take_openssl_error();
  throw unusable(content.path, fmt::format("this PKCS#12 file cannot be read: {}", why),
                 "convert it with: openssl pkcs12 -legacy -in OLD -out NEW.pem");
}

Error unknown_format(const std::string& path) {
  return unusable(path, "it is neither PEM nor PKCS#12",
                  "convert it with: openssl x509 -inform der, or openssl pkey -inform der");
}

}  // namespace

FileStamp stamp_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = status.st_size,
          .modified = modified_at(status)};
}

KeyPair read_certificate_file(const std::string& path, WantKey want_key, PasswordCache& passwords) {
  Content content;
  read_file(path, content);
  if (const Pkcs12Pointer file = as_pkcs12(content)) {
    KeyPair pair = read_pkcs12(file.get(), content, passwords);
    if (pair.certificates.empty()) throw unusable(path, "there is no certificate in it", "");
    if (!pair.key && want_key == WantKey::yes) throw unusable(path, "there is no key in it", "");
    return pair;
  }
  if (content.bytes.find("-----BEGIN ") == std::string::npos) throw unknown_format(path);
  KeyPair pair;
  pair.certificates = pem_certificates(content);
  if (pair.certificates.empty()) {
    throw unusable(path, "there is no certificate in it",
                   "--cert wants the certificate, --key the key");
  }
  if (want_key == WantKey::yes) pair.key = pem_key(content, passwords);
  return pair;
}

KeyPointer read_key_file(const std::string& path, PasswordCache& passwords) {
  Content content;
  read_file(path, content);
  if (const Pkcs12Pointer file = as_pkcs12(content)) {
    KeyPair pair = read_pkcs12(file.get(), content, passwords);
    if (!pair.key) throw unusable(path, "there is no private key in it", "");
    return std::move(pair.key);
  }
  if (content.bytes.find("-----BEGIN ") == std::string::npos) throw unknown_format(path);
  return pem_key(content, passwords);
}

}  // namespace mayfly
