#include "access/core/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>

#include "access/core/encoding.hpp"
#include "access/core/host_port.hpp"

namespace mayfly {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::uint8_t at(std::string_view text, std::size_t i) {
  return static_cast<std::uint8_t>(text[i]);
}

// Length of the well-formed UTF-8 sequence at i (Unicode 15, table 3-7), 0 when there is none.
std::size_t sequence_length(std::string_view text, std::size_t i) {
  const std::uint8_t lead = at(text, i);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || i + length > text.size()) return 0;
  std::uint8_t low = 0x80, high = 0xBF;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  if (at(text, i + 1) < low || at(text, i + 1) > high) return 0;
  for (std::size_t k = 2; k < length; ++k) {
    if ((at(text, i + k) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// C0, DEL, C1 (U+0080..9F), line and paragraph separators (U+2028/9) and the characters that turn
// the direction of text around (U+061C, U+200E/F, U+202A..E, U+2066..9), which could disguise what
// is shown.
bool is_control(std::string_view sequence) {
  if (sequence.size() == 1) return at(sequence, 0) < 0x20 || at(sequence, 0) == 0x7F;
  if (sequence.size() == 2) {
    return (at(sequence, 0) == 0xC2 && at(sequence, 1) < 0xA0) || sequence == "\xD8\x9C";
  }
  if (sequence.size() != 3 || at(sequence, 0) != 0xE2) return false;
  const std::uint8_t second = at(sequence, 1), third = at(sequence, 2);
  return (second == 0x80 && (third == 0x8E || third == 0x8F || (third >= 0xA8 && third <= 0xAE))) ||
         (second == 0x81 && third >= 0xA6 && third <= 0xA9);
}

// As inet_aton(3) takes one: decimal, octal or hexadecimal.
bool is_number(std::string_view label) {
  const bool hexadecimal = label.starts_with("0x") || label.starts_with("0X");
  return hexadecimal ? label.find_first_not_of("0123456789abcdefABCDEF", 2) == label.npos
                     : label.find_first_not_of(decimal_digits) == label.npos;
}

}  // namespace

std::string printable(std::string_view bytes, std::size_t max_bytes) {
  std::string shown;
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t length = sequence_length(bytes, i);
    const std::string_view sequence = bytes.substr(i, std::max<std::size_t>(length, 1));
    std::string piece(sequence);
    if (length == 0 || is_control(sequence)) {
      piece.clear();
      for (const char c : sequence) piece += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
    }
    if (shown.size() + piece.size() > max_bytes) return shown + "...";
    shown += piece;
    i += sequence.size();
  }
  return shown;
}

std::string to_lower(std::string_view ascii) {
  std::string result(ascii);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_among(std::string_view text, std::initializer_list<std::string_view> list) {
  return std::ranges::find(list, text) != list.end();
}

bool is_among_ignoring_case(std::string_view text, std::initializer_list<std::string_view> list) {
  return std::ranges::any_of(list, [&](auto one) { return equals_ignoring_case(text, one); });
}

std::string_view trim(std::string_view text, std::string_view blanks) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string pasted_word(std::string_view text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+,";
  if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos)
    return std::string(text);
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word += '\'';
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  const auto labels = split(text, '.');
  for (const std::string_view label : labels) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
      return false;
    }
    if (!std::all_of(label.begin(), label.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; })) {
      return false;
    }
  }
  // RFC 1123 section 2.1; resolvers take "127.1" and "0x7f000001" for addresses, too.
  return !is_number(labels.back()) || is_ipv4(text);
}

}  // namespace mayfly
