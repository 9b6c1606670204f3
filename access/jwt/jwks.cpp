#include "access/jwt/jwks.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "access/core/encoding.hpp"
#include "access/core/json.hpp"
#include "access/core/release.hpp"

namespace mayfly {
namespace {

constexpr std::size_t kMaxKeys = 64;
// RFC 7518 section 3.3 asks for 2048 bits; the upper bound keeps a hostile key from costing
// seconds.
constexpr int kMinModulusBits = 2048;
constexpr int kMaxModulusBits = 8192;
constexpr int kMaxExponentBits = 64;

using Number = std::unique_ptr<BIGNUM, Release<BN_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Reads a Base64urlUInt (RFC 7518 section 2) of at most max_bits.
Number number_member(const nlohmann::json& object, const char* name, int max_bits) {
  const auto text = string_member(object, name);
  const auto bytes = text ? base64_decode(*text, Base64::url_unpadded) : std::nullopt;
  if (!bytes || bytes->empty() || bytes->size() > static_cast<std::size_t>(max_bits) / 8 + 1)
    return nullptr;
  Number number(BN_bin2bn(bytes_of(*bytes), static_cast<int>(bytes->size()), nullptr));
  return number && BN_num_bits(number.get()) <= max_bits ? std::move(number) : nullptr;
}

std::shared_ptr<void> public_key(const BIGNUM* modulus, const BIGNUM* exponent) {
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent) != 1)
    return nullptr;
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return {key, [](void* handle) { EVP_PKEY_free(static_cast<EVP_PKEY*>(handle)); }};
}

// RFC 7517 section 4.3: "key_ops" is an array of strings without duplicates that lists every
// purpose of the key. Beside a "use" of "sig" it must not list encryption.
bool is_for_verifying(const nlohmann::json& jwk) {
  if (jwk.contains("use") && string_member(jwk, "use") != "sig") return false;
  const auto operations = jwk.find("key_ops");
  if (operations == jwk.end()) return true;
  if (!operations->is_array()) return false;
  std::set<std::string> named;
  for (const nlohmann::json& operation : *operations)
    if (!operation.is_string() || !named.insert(operation.get<std::string>()).second) return false;
  const bool is_for_more = std::any_of(named.begin(), named.end(), [](const std::string& name) {
    return name != "verify" && name != "sign";
  });
  return named.contains("verify") && !(jwk.contains("use") && is_for_more);
}

// Returns null for a key that cannot verify RS256: another kind, another use, or too weak.
std::shared_ptr<void> rs256_key(const nlohmann::json& jwk) {
  if (string_member(jwk, "kty") != "RSA") return nullptr;
  if (!is_for_verifying(jwk)) return nullptr;
  if (jwk.contains("alg") && string_member(jwk, "alg") != "RS256") return nullptr;
  const Number modulus = number_member(jwk, "n", kMaxModulusBits);
  const Number exponent = number_member(jwk, "e", kMaxExponentBits);
  if (!modulus || BN_num_bits(modulus.get()) < kMinModulusBits || !BN_is_odd(modulus.get()))
    return nullptr;
  if (!exponent || !BN_is_odd(exponent.get()) || BN_is_one(exponent.get())) return nullptr;
  return public_key(modulus.get(), exponent.get());
}

bool verify_rs256(EVP_PKEY* key, const Jwt& jwt) {
  const DigestContext context(EVP_MD_CTX_new());
  // An RSA key uses RSASSA-PKCS1-v1_5 by default.
  const bool good = context &&
                    EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key,
                                            nullptr) == 1 &&
                    EVP_DigestVerify(context.get(), bytes_of(jwt.signature), jwt.signature.size(),
                                     bytes_of(jwt.signing_input), jwt.signing_input.size()) == 1;
  // TLS would find this error later in the same thread.
  ERR_clear_error();
  return good;
}

}  // namespace

std::optional<KeySet> KeySet::parse(std::string_view json) {
  const auto object = parse_json(json);
  if (!object || !object->is_object()) return std::nullopt;
  const auto keys = object->find("keys");
  if (keys == object->end() || !keys->is_array() || keys->size() > kMaxKeys) return std::nullopt;

  KeySet set;
  for (const nlohmann::json& jwk : *keys) {
    if (!jwk.is_object()) return std::nullopt;
    auto id = string_member(jwk, "kid");
    if (!id || id->empty()) continue;
    if (auto handle = rs256_key(jwk)) set.keys_.push_back({std::move(*id), std::move(handle)});
  }
  return set;
}

bool KeySet::verifies(const Jwt& jwt) const {
  if (jwt.key_id.empty()) return false;
  for (const Key& key : keys_)
    if (key.id == jwt.key_id && verify_rs256(static_cast<EVP_PKEY*>(key.handle.get()), jwt))
      return true;
  return false;
}

}  // namespace mayfly
