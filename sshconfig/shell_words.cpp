#include "sshconfig/shell_words.hpp"

#include <algorithm>
#include <optional>

namespace mayfly::sshconfig {
namespace {

constexpr std::string_view blanks = " \t\n";
constexpr std::string_view operators = "|&;<>()";

// Up to the closing quote; takes it and what is in it off the front of `rest`.
std::string take_single_quoted(std::string_view& rest) {
  const auto end = std::min(rest.find('\''), rest.size());
  std::string text(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return text;
}

// Where the quotes that open before `at` close, in front of the closing one.
std::size_t end_of_quotes(std::string_view text, std::size_t at, char quote) {
  while (at < text.size() && text[at] != quote) at += text[at] == '\\' && quote != '\'' ? 2 : 1;
  return std::min(at, text.size());
}

// Behind the parenthesis that closes the one before `at`. Quotes hide parentheses.
std::size_t end_of_parentheses(std::string_view text, std::size_t at) {
  for (int depth = 1; at < text.size() && depth > 0; ++at) {
    const char c = text[at];
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == '\\') ++at;
    if (c == '\'' || c == '"' || c == '`') at = end_of_quotes(text, at + 1, c);
  }
  return std::min(at, text.size());
}

// The octal digits of a byte: the first may be no greater than 3.
bool are_octal(std::string_view digits) {
  return digits.size() == 3 && digits.front() <= '3' &&
         digits.find_first_not_of("01234567") == std::string_view::npos;
}

// As quote.cpp writes a character that no quotes can carry through ssh.
std::optional<char> printed_character(std::string_view substitution) {
  constexpr std::string_view begins = "$(printf '\\", ends = "')";
  if (!substitution.starts_with(begins) || !substitution.ends_with(ends)) return std::nullopt;
  substitution.remove_prefix(begins.size());
  const auto digits = substitution.substr(0, substitution.size() - ends.size());
  if (!are_octal(digits)) return std::nullopt;
  return static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0'));
}

bool begins_substitution(std::string_view text) {
  return text.starts_with("$(") || text.starts_with('`');
}

std::string take_substitution(std::string_view& rest) {
  const auto end =
      rest.front() == '`' ? end_of_quotes(rest, 1, '`') + 1 : end_of_parentheses(rest, 2);
  const auto substitution = rest.substr(0, end);
  rest.remove_prefix(substitution.size());
  if (const auto character = printed_character(substitution)) return {*character};
  return std::string(substitution);
}

std::string take_double_quoted(std::string_view& rest) {
  std::string text;
  while (!rest.empty() && rest.front() != '"') {
    if (begins_substitution(rest)) {
      text += take_substitution(rest);
      continue;
    }
    const bool escapes = rest.front() == '\\' && rest.size() > 1 &&
                         std::string_view("$`\"\\\n").find(rest[1]) != std::string_view::npos;
    if (escapes) rest.remove_prefix(1);
    text += rest.front();
    rest.remove_prefix(1);
  }
  rest.remove_prefix(std::min<std::size_t>(1, rest.size()));
  return text;
}

bool ends_word(std::string_view rest) {
  return rest.empty() || blanks.find(rest.front()) != std::string_view::npos ||
         operators.find(rest.front()) != std::string_view::npos;
}

// What is quoted, a substitution, or one character.
std::string take_piece(std::string_view& rest) {
  if (begins_substitution(rest)) return take_substitution(rest);
  const char c = rest[0];
  rest.remove_prefix(1);
  if (c == '\'') return take_single_quoted(rest);
  if (c == '"') return take_double_quoted(rest);
  if (c != '\\' || rest.empty()) return {c};
  const char escaped = rest[0];
  rest.remove_prefix(1);
  return {escaped};
}

std::string take_word(std::string_view& rest) {
  std::string word;
  while (!ends_word(rest)) word += take_piece(rest);
  return word;
}

bool is_assignment(std::string_view word) {
  const auto equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 &&
         word.substr(0, equals).find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
             std::string_view::npos;
}

}  // namespace

std::vector<std::string> shell_words(std::string_view command) {
  std::vector<std::string> words;
  for (;;) {
    command.remove_prefix(std::min(command.find_first_not_of(blanks), command.size()));
    if (command.empty() || operators.find(command.front()) != std::string_view::npos) return words;
    words.push_back(take_word(command));
  }
}

std::string program_of(const std::vector<std::string>& words) {
  const auto found = std::find_if(words.begin(), words.end(), [](const std::string& word) {
    return !is_assignment(word) && word != "exec";
  });
  return found == words.end() ? "" : *found;
}

}  // namespace mayfly::sshconfig
