// Encodings, digests and RSA signatures, as JSON Web Tokens need them.
#include "crypto.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace edge {
namespace {

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* octets(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

std::string encode(std::string_view bytes, int variant) {
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), octets(bytes), bytes.size(), variant);
  text.pop_back();  // the terminating zero
  return text;
}

std::string memory_text(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

void require(bool ok, const char* what) {
  if (ok) return;
  char reason[256] = "";
  const unsigned long code = ERR_get_error();
  if (code != 0) ERR_error_string_n(code, reason, sizeof reason);
  ERR_clear_error();
  throw std::runtime_error(std::string(what) + (code != 0 ? std::string(": ") + reason : ""));
}

std::string base64(std::string_view bytes) {
  return encode(bytes, sodium_base64_VARIANT_ORIGINAL);
}

std::string base64url(std::string_view bytes) {
  return encode(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

std::string base64url_padded(std::string_view bytes) {
  return encode(bytes, sodium_base64_VARIANT_URLSAFE);
}

std::string unbase64(std::string_view text) {
  std::string plain(text);
  while (plain.ends_with('=')) plain.pop_back();
  for (char& c : plain) c = c == '+' ? '-' : c == '/' ? '_' : c;
  std::string bytes(plain.size() * 3 / 4 + 3, '\0');
  std::size_t size = 0;
  if (sodium_base642bin(octets(bytes), bytes.size(), plain.data(), plain.size(), nullptr, &size,
                        nullptr, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0) {
    return {};
  }
  bytes.resize(size);
  return bytes;
}

std::string hex(std::string_view bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), octets(bytes), bytes.size());
  text.pop_back();
  return text;
}

std::string unhex(std::string_view text) {
  std::string bytes(text.size() / 2 + 1, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  const int failed =
      sodium_hex2bin(octets(bytes), bytes.size(), text.data(), text.size(), " \t\n", &size, &end);
  if (failed != 0 || end != text.data() + text.size()) {
    throw std::runtime_error("not hex: " + std::string(text));
  }
  bytes.resize(size);
  return bytes;
}

std::string sha256(std::string_view bytes) {
  std::string digest(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(octets(digest), octets(bytes), bytes.size());
  return digest;
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string digest(32, '\0');
  unsigned size = 0;
  require(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets(bytes), bytes.size(),
               octets(digest), &size) != nullptr,
          "computing an HMAC");
  return digest;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), count);
  return bytes;
}

Key generate_rsa(unsigned bits) {
  Key key(EVP_RSA_gen(bits));
  require(key != nullptr, "generating an RSA key");
  return key;
}

Key generate_p256() {
  Key key(EVP_EC_gen("P-256"));
  require(key != nullptr, "generating a P-256 key");
  return key;
}

Key read_private_key(const std::string& path) {
  const std::string text = read_file(path);
  Memory memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  Key key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
  require(key != nullptr, "reading a private key");
  return key;
}

void write_private_key(const std::string& path, EVP_PKEY* key) {
  Memory memory(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "writing a private key");
  write_file(path, memory_text(memory.get()), Access::owner);
}

std::string public_pem(EVP_PKEY* key) {
  Memory memory(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PUBKEY(memory.get(), key) == 1, "writing a public key");
  return memory_text(memory.get());
}

std::string rsa_parameter(EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &raw) == 1, "reading an RSA parameter");
  const Number number(raw);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(raw)), '\0');
  BN_bn2bin(raw, octets(bytes));
  return bytes;
}

std::string sign_rs256(EVP_PKEY* key, std::string_view bytes) {
  const Digest digest(EVP_MD_CTX_new());
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key));
  std::string signature(size, '\0');
  require(
      EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
          EVP_DigestSign(digest.get(), octets(signature), &size, octets(bytes), bytes.size()) == 1,
      "signing a token");
  signature.resize(size);
  return signature;
}

bool verify_rs256(EVP_PKEY* key, std::string_view bytes, std::string_view signature) {
  const Digest digest(EVP_MD_CTX_new());
  const bool good = EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
                    EVP_DigestVerify(digest.get(), octets(signature), signature.size(),
                                     octets(bytes), bytes.size()) == 1;
  ERR_clear_error();
  return good;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, std::string_view bytes, Access access) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (chmod(path.c_str(), access == Access::owner ? 0600 : 0644) != 0 || !(file << bytes).flush()) {
    throw std::runtime_error("cannot write " + path);
  }
}

}  // namespace edge
