// Strict base64: no white space, no missing or superfluous padding, no stray bits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mayfly {

enum class Base64 {
  standard,      // RFC 4648 section 4, padded
  url,           // RFC 4648 section 5, padded
  url_unpadded,  // RFC 7515 section 2 (JWT)
};

std::string base64_encode(std::string_view bytes, Base64 variant);
// Nothing when the text is not exactly one valid encoding.
std::optional<std::string> base64_decode(std::string_view text, Base64 variant);

}  // namespace mayfly
