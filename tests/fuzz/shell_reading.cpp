#include "shell_reading.hpp"

namespace mayfly::fuzz {
namespace {

bool is_harmless(char c) {
  constexpr std::string_view marks = "/._-+,:@=%";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         marks.find(c) != std::string_view::npos;
}

// A quoted or unquoted piece at the front of text; false for anything else.
bool read_piece(std::string_view& text, std::string& word) {
  constexpr std::string_view printf = "$(printf '\\";
  if (text.front() == '\'') {
    const auto end = text.find('\'', 1);
    if (end == std::string_view::npos) return false;
    word += text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return true;
  }
  if (text.starts_with(printf)) {
    const auto digits = text.substr(printf.size(), 3);
    if (digits.size() != 3 || digits.find_first_not_of("01234567") != std::string_view::npos)
      return false;
    if (text.substr(printf.size() + 3, 2) != "')") return false;
    word += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + digits[2] - '0');
    text.remove_prefix(printf.size() + 5);
    return true;
  }
  if (!is_harmless(text.front())) return false;
  word += text.front();
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<std::vector<std::string>> shell_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    if (text.front() == ' ') {
      text.remove_prefix(1);
      continue;
    }
    std::string& word = words.emplace_back();
    while (!text.empty() && text.front() != ' ')
      if (!read_piece(text, word)) return std::nullopt;
  }
  return words;
}

}  // namespace mayfly::fuzz
