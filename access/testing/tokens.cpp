#include "access/testing/tokens.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <stdexcept>

#include "access/core/encoding.hpp"

namespace mayfly::test {
namespace {

EVP_PKEY* key_of(const std::shared_ptr<void>& handle) {
  return static_cast<EVP_PKEY*>(handle.get());
}

void require(bool condition) {
  if (!condition) throw std::runtime_error("OpenSSL failed in a test");
}

std::string part(std::string_view bytes) {
  return base64_encode(bytes, Base64::url_unpadded);
}

}  // namespace

std::chrono::sys_seconds system_now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Claims& Claims::text(const std::string& name, std::string_view value) {
  return raw(name, fmt::format("\"{}\"", value));
}

Claims& Claims::raw(const std::string& name, std::string_view json) {
  members_[name] = json;
  return *this;
}

Claims& Claims::number(const std::string& name, long long value) {
  return raw(name, std::to_string(value));
}

Claims& Claims::time(const std::string& name, std::chrono::sys_seconds value) {
  return number(name, value.time_since_epoch().count());
}

Claims& Claims::without(const std::string& name) {
  members_.erase(name);
  return *this;
}

std::string Claims::json() const {
  std::vector<std::string> members;
  for (const auto& [name, value] : members_)
    members.push_back(fmt::format("\"{}\":{}", name, value));
  return fmt::format("{{{}}}", fmt::join(members, ","));
}

Claims metadata_claims(std::chrono::sys_seconds now) {
  return Claims()
      .text("type", "match")
      .text("hostname", kHost)
      .text("auth_domain", kTeam)
      .text("aud", kAudience)
      .text("app_hostname", kHost)
      .time("iat", now);
}

Claims org_claims(std::chrono::sys_seconds now) {
  return Claims()
      .raw("aud", "[\"0123456789abcdef\"]")
      .text("email", "jdoe@example.com")
      .text("iss", "https://" + std::string(kTeam))
      .text("type", "org")
      .text("sub", "c9a5")
      .time("iat", now)
      .time("nbf", now)
      .time("exp", now + std::chrono::hours(1));
}

Claims app_claims(std::chrono::sys_seconds now) {
  return org_claims(now).raw("aud", fmt::format("[\"{}\"]", kAudience)).text("type", "app");
}

SigningKey::SigningKey(std::string id, unsigned bits)
    : id_(std::move(id)),
      key_(EVP_RSA_gen(bits), [](void* key) { EVP_PKEY_free(static_cast<EVP_PKEY*>(key)); }) {
  require(key_ != nullptr);
}

std::string SigningKey::modulus() const {
  BIGNUM* raw = nullptr;
  require(EVP_PKEY_get_bn_param(key_of(key_), OSSL_PKEY_PARAM_RSA_N, &raw) == 1);
  const std::unique_ptr<BIGNUM, void (*)(BIGNUM*)> number(raw, BN_free);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(raw)), '\0');
  BN_bn2bin(raw, reinterpret_cast<unsigned char*>(bytes.data()));
  return part(bytes);
}

std::string SigningKey::jwk() const {
  return Claims()
      .text("kty", "RSA")
      .text("kid", id_)
      .text("alg", "RS256")
      .text("use", "sig")
      .text("e", "AQAB")
      .text("n", modulus())
      .json();
}

std::string SigningKey::sign(std::string_view header, std::string_view payload) const {
  const std::string input = part(header) + "." + part(payload);
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(input.data());
  std::size_t size = 0;
  require(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_of(key_)) == 1);
  require(EVP_DigestSign(context.get(), nullptr, &size, bytes, input.size()) == 1);
  std::string signature(size, '\0');
  require(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                         bytes, input.size()) == 1);
  signature.resize(size);
  return input + "." + part(signature);
}

std::string SigningKey::sign(const Claims& claims) const {
  return sign(Claims().text("alg", "RS256").text("kid", id_).json(), claims.json());
}

std::string key_set(const std::vector<std::string>& jwks) {
  return fmt::format("{{\"keys\":[{}]}}", fmt::join(jwks, ","));
}

const SigningKey& team_key() {
  static const SigningKey key("key-1");
  return key;
}

const SigningKey& foreign_key() {
  static const SigningKey key("key-1");
  return key;
}

}  // namespace mayfly::test
