#include "property.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace mayfly::fuzz {
namespace {

// Messages quote a few pieces of at most 200 bytes, escaped already.
constexpr std::size_t longest_message = 2000;

bool is_harmless(char32_t c) {
  const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
  const bool line_end = c == 0x2028 || c == 0x2029;
  const bool turns_direction = c == 0x61c || c == 0x200e || c == 0x200f ||
                               (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
  return !control && !line_end && !turns_direction;
}

}  // namespace

void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

std::optional<std::vector<char32_t>> decode_utf8(std::string_view bytes) {
  std::vector<char32_t> characters;
  for (std::size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : 4;
    if (length == 4 && lead >> 3 != 30) return std::nullopt;
    if (i + length > bytes.size()) return std::nullopt;
    char32_t value = length == 1 ? lead : lead & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(bytes[i + k]);
      if (next >> 6 != 2) return std::nullopt;
      value = value << 6 | (next & 0x3fU);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
      return std::nullopt;
    characters.push_back(value);
    i += length;
  }
  return characters;
}

bool is_fit_to_show(std::string_view text, std::size_t limit) {
  const auto characters = decode_utf8(text);
  return characters && text.size() <= limit &&
         std::all_of(characters->begin(), characters->end(), is_harmless);
}

void require_fit_to_show(const Error& error) {
  require(!error.message().empty(), "an error says what failed");
  require(is_fit_to_show(error.message(), longest_message), "a message is fit to be shown");
  require(is_fit_to_show(error.hint(), longest_message), "a hint is fit to be shown");
}

}  // namespace mayfly::fuzz
