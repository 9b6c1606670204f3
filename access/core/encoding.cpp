#include "access/core/encoding.hpp"

#include <fmt/core.h>
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

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
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

std::optional<unsigned char> hex_byte(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  const int high = hex_value(text[0]), low = hex_value(text[1]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<unsigned char>(high * 16 + low);
}

std::string hex_encode(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string percent_encode(char c) {
  return fmt::format("%{:02X}", static_cast<unsigned char>(c));
}

bool is_percent_encoded(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '%' && !hex_byte(text.substr(i + 1))) return false;
  return true;
}

std::string percent_decode(std::string_view text, Plus plus) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' ? hex_byte(text.substr(i + 1)) : std::nullopt;
    if (byte) {
      decoded += static_cast<char>(*byte);
      i += 2;
    } else {
      decoded += text[i] == '+' && plus == Plus::space ? ' ' : text[i];
    }
  }
  return decoded;
}

}  // namespace mayfly
