#include "signing_key.hpp"

#include <openssl/bn.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>

#include "access/core/encoding.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

struct Free {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};
using Number = std::unique_ptr<BIGNUM, Free>;

// The modulus is p^64: 2048 bits. Since 3 does not divide p - 1, every unit has one cube root,
// which is taken modulo p and then lifted.
constexpr std::uint64_t p = 4294967291;                                     // 2^32 - 5, prime
constexpr std::uint64_t minus_one_third = (p - 1) - (2 * (p - 1) + 1) / 3;  // of the exponents
constexpr int power = 64;
constexpr std::size_t modulus_bytes = 256;

Number number(std::uint64_t value = 0) {
  Number result(BN_new());
  BN_set_word(result.get(), value);
  return result;
}

std::uint64_t power_mod_p(std::uint64_t base, std::uint64_t exponent) {
  std::uint64_t result = 1;
  for (base %= p; exponent > 0; exponent >>= 1, base = base * base % p)
    if ((exponent & 1) != 0) result = result * base % p;
  return result;
}

struct Arithmetic {
  std::unique_ptr<BN_CTX, Free> context{BN_CTX_new()};
  Number modulus = number();
  Number third = number();

  Arithmetic() {
    BN_exp(modulus.get(), number(p).get(), number(power).get(), context.get());
    BN_mod_inverse(third.get(), number(3).get(), modulus.get(), context.get());
  }

  Number product(const Number& a, const Number& b) const {
    Number result = number();
    BN_mod_mul(result.get(), a.get(), b.get(), modulus.get(), context.get());
    return result;
  }

  // Newton's iteration for y = x^(-1/3), y <- y (4 - x y^3) / 3, doubles the powers of p that are
  // right; the root is x y^2.
  Number cube_root(const Number& x) const {
    Number y = number(power_mod_p(BN_mod_word(x.get(), p), minus_one_third));
    for (int right = 1; right < power; right *= 2) {
      const Number cubed = product(x, product(y, product(y, y)));
      Number factor = number();
      BN_mod_sub(factor.get(), number(4).get(), cubed.get(), modulus.get(), context.get());
      y = product(product(y, factor), third);
    }
    return product(x, product(y, y));
  }

  static const Arithmetic& instance() {
    static const Arithmetic only;
    return only;
  }
};

std::string bytes_of(const Number& number) {
  std::string bytes(modulus_bytes, '\0');
  BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(bytes.data()), modulus_bytes);
  return bytes;
}

// EMSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 9.2).
std::string padded_digest(std::string_view message) {
  constexpr std::string_view digest_info(
      "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 19);
  std::array<unsigned char, 32> digest{};
  EVP_Digest(message.data(), message.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::string text("\x00\x01", 2);
  text.append(modulus_bytes - 3 - digest_info.size() - digest.size(), '\xff');
  text.append(1, '\0').append(digest_info);
  return text.append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

std::string encoded(std::string_view bytes) {
  return base64_encode(bytes, Base64::url_unpadded);
}

}  // namespace

std::string SigningKey::modulus() {
  return encoded(bytes_of(Arithmetic::instance().modulus));
}

std::string SigningKey::key_set() {
  return R"({"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"1","e":"Aw","n":")" + modulus() +
         R"("}]})";
}

std::string SigningKey::sign(std::string_view header, std::string_view payload) {
  const std::string input = encoded(header) + "." + encoded(payload);
  const std::string digest = padded_digest(input);
  const Number x(BN_bin2bn(reinterpret_cast<const unsigned char*>(digest.data()),
                           static_cast<int>(digest.size()), nullptr));
  return input + "." + encoded(bytes_of(Arithmetic::instance().cube_root(x)));
}

std::string SigningKey::sign(std::string_view payload) {
  return sign(R"({"alg":"RS256","kid":"1"})", payload);
}

}  // namespace mayfly::fuzz
