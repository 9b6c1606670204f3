// Text encodings of bytes: strict base64, hexadecimal digits and percent-encoding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mayfly {

// Strict: no white space, no missing or superfluous padding, no stray bits.
enum class Base64 {
  standard,      // RFC 4648 section 4, padded
  url,           // RFC 4648 section 5, padded
  url_unpadded,  // RFC 7515 section 2 (JWT)
};

std::string base64_encode(std::string_view bytes, Base64 variant);
// Returns nullopt unless the text is exactly one valid encoding.
std::optional<std::string> base64_decode(std::string_view text, Base64 variant);

inline constexpr std::string_view decimal_digits = "0123456789";
// In lower case, as hashes are written.
inline constexpr std::string_view hex_digits = "0123456789abcdef";
// Returns the byte that the first two characters write in hexadecimal digits of either case, or
// nullopt if they are no such digits.
std::optional<unsigned char> hex_byte(std::string_view text);
std::string hex_encode(std::string_view bytes);

// Letters, digits and "-._~", which RFC 3986 section 2.3 calls unreserved.
bool is_unreserved(char c);
// Returns "%XX" (RFC 3986 section 2.1).
std::string percent_encode(char c);
// Returns whether every "%" begins a "%XX".
bool is_percent_encoded(std::string_view text);
// plus: whether "+" stands for a space (application/x-www-form-urlencoded).
enum class Plus { itself, space };
// Decodes every "%XX" once. A "%" without two hexadecimal digits behind it stays.
std::string percent_decode(std::string_view text, Plus plus = Plus::itself);

}  // namespace mayfly
