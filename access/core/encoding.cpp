#include "access/core/encoding.hpp"

#include <sodium.h>

#include <algorithm>

namespace mayfly {
namespace {

int sodium_variant(Base64 variant) {
  switch (variant) {
    case Base64::standard:
      return sodium_base64_VARIANT_ORIGINAL;
    case Base64::url:
      return sodium_base64_VARIANT_URLSAFE;
    case Base64::url_unpadded:
      return sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  }
  return sodium_base64_VARIANT_ORIGINAL;
}

}  // namespace

std::string base64_encode(std::string_view bytes, Base64 variant) {
  const int kind = sodium_variant(variant);
  std::string text(sodium_base64_encoded_len(bytes.size(), kind), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), kind);
  text.pop_back();  // the terminating NUL is counted
  return text;
}

std::optional<std::string> base64_decode(std::string_view text, Base64 variant) {
  // libsodium 1.0.18 takes some of these, sign-extended, for digits.
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return static_cast<signed char>(c) < 0; })) {
    return std::nullopt;
  }
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  std::size_t size = 0;
  // Without an end pointer, anything left over is an error.
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), nullptr, &size, nullptr, sodium_variant(variant)) != 0) {
    return std::nullopt;
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace mayfly
