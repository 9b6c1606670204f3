#include "sshgen/public_key.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>

#include <array>
#include <string>

#include "sshgen/openssl_handle.hpp"

namespace mayfly::sshgen {
namespace {

struct Curve {
  std::string_view type;
  std::string_view name;
  std::size_t field_bytes;
  const char* group;
  const EVP_MD* (*digest)();
};

constexpr std::array curves{
    Curve{"ecdsa-sha2-nistp256", "nistp256", 32, "P-256", EVP_sha256},
    Curve{"ecdsa-sha2-nistp384", "nistp384", 48, "P-384", EVP_sha384},
    Curve{"ecdsa-sha2-nistp521", "nistp521", 66, "P-521", EVP_sha512},
};

constexpr std::string_view certificate_mark = "-cert-v0";
constexpr std::string_view rsa = "ssh-rsa";
constexpr std::string_view ed25519 = "ssh-ed25519";
// The sizes that OpenSSH accepts: SSH_RSA_MINIMUM_MODULUS_SIZE, and the largest that OpenSSL takes.
constexpr std::size_t least_modulus_bytes = 1024 / 8;
constexpr std::size_t largest_modulus_bytes = 16384 / 8;
constexpr std::size_t largest_exponent_bytes = 8;

const Curve* curve_of(std::string_view type) {
  for (const auto& curve : curves)
    if (curve.type == type) return &curve;
  return nullptr;
}

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Number number(std::string_view magnitude) {
  return Number(BN_bin2bn(octets(magnitude), static_cast<int>(magnitude.size()), nullptr));
}

Key key_from(const char* algorithm, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  return Key(key);
}

Key rsa_key(WireReader reader) {
  const auto e = number(reader.mpint());
  const auto n = number(reader.mpint());
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder || !e || !n ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1)
    return nullptr;
  return key_from("RSA", builder.get());
}

Key ecdsa_key(WireReader reader, const Curve& curve) {
  reader.string();
  const auto point = reader.string();
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1)
    return nullptr;
  return key_from("EC", builder.get());
}

// An SSH signature in OpenSSL's terms: the key, the digest (null for Ed25519) and the signature's
// bytes.
struct Check {
  Key key;
  const EVP_MD* digest = nullptr;
  std::string signature;
};

Check rsa_check(const WireReader& fields, std::string_view algorithm, std::string_view signature) {
  const EVP_MD* digest = algorithm == "rsa-sha2-256"   ? EVP_sha256()
                         : algorithm == "rsa-sha2-512" ? EVP_sha512()
                                                       : nullptr;
  if (digest == nullptr) return {};
  auto key = rsa_key(fields);
  const auto size = key ? static_cast<std::size_t>(EVP_PKEY_get_size(key.get())) : 0;
  if (signature.size() > size) return {};
  // Some signers drop leading zeros; OpenSSH restores them, too.
  return {std::move(key), digest, std::string(size - signature.size(), '\0').append(signature)};
}

// Converts "mpint r, mpint s" (RFC 5656 section 3.1.2) to the DER that OpenSSL takes.
std::string ecdsa_signature_der(std::string_view blob) {
  WireReader reader(blob);
  auto r = number(reader.mpint());
  auto s = number(reader.mpint());
  const EcdsaSignature pair(ECDSA_SIG_new());
  if (!reader.complete() || !r || !s || !pair) return {};
  if (ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (size <= 0) return {};
  std::string der(static_cast<std::size_t>(size), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(pair.get(), &out);
  return der;
}

Check ed25519_check(WireReader fields, std::string_view signature) {
  const auto point = fields.string();
  return {Key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(point), point.size())),
          nullptr, std::string(signature)};
}

Check check_for(std::string_view public_blob, std::string_view signature) {
  WireReader fields(public_blob);
  const auto type = fields.string();
  WireReader reader(signature);
  const auto algorithm = reader.string();
  const auto blob = reader.string();
  if (!is_public_key(public_blob) || !reader.complete()) return {};
  if (type == rsa) return rsa_check(fields, algorithm, blob);
  if (algorithm != type) return {};
  if (type == ed25519) return ed25519_check(fields, blob);
  const auto& curve = *curve_of(type);
  return {ecdsa_key(fields, curve), curve.digest(), ecdsa_signature_der(blob)};
}

bool reads_rsa(WireReader& reader) {
  const auto e = reader.mpint();
  const auto n = reader.mpint();
  return reader.ok() && !e.empty() && e.size() <= largest_exponent_bytes &&
         n.size() >= least_modulus_bytes && n.size() <= largest_modulus_bytes;
}

}  // namespace

bool read_public_fields(WireReader& reader, std::string_view type) {
  if (type == rsa) return reads_rsa(reader);
  if (type == ed25519) return reader.string().size() == 32 && reader.ok();
  const auto* curve = curve_of(type);
  if (curve == nullptr) return false;
  const bool curve_named = reader.string() == curve->name;
  const auto point = reader.string();
  return reader.ok() && curve_named && point.size() == 1 + 2 * curve->field_bytes &&
         point[0] == 4;  // uncompressed, the only form that OpenSSH takes
}

bool is_known_type(std::string_view type) {
  return type == rsa || type == ed25519 || curve_of(type) != nullptr;
}

bool is_key_blob(std::string_view blob) {
  WireReader reader(blob);
  const auto type = reader.string();
  if (is_known_type(type)) return is_public_key(blob);
  const bool is_certificate = type.find(certificate_mark) != std::string_view::npos;
  const bool has_fields = !type.empty() && !is_certificate && !reader.at_end();
  while (reader.ok() && !reader.at_end()) reader.string();
  return has_fields && reader.complete();
}

bool is_public_key(std::string_view blob) {
  WireReader reader(blob);
  const auto type = reader.string();
  return read_public_fields(reader, type) && reader.complete();
}

bool verifies(std::string_view public_blob, std::string_view signature, std::string_view message) {
  const auto check = check_for(public_blob, signature);
  const DigestContext context(EVP_MD_CTX_new());
  const bool good =
      check.key && context &&
      EVP_DigestVerifyInit(context.get(), nullptr, check.digest, nullptr, check.key.get()) == 1 &&
      EVP_DigestVerify(context.get(), octets(check.signature), check.signature.size(),
                       octets(message), message.size()) == 1;
  // An error left in OpenSSL's queue would be taken for one of TLS later in this thread.
  ERR_clear_error();
  return good;
}

}  // namespace mayfly::sshgen
