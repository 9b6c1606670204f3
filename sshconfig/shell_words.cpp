#include "sshconfig/shell_words.hpp"

#include <algorithm>

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

std::string take_double_quoted(std::string_view& rest) {
  std::string text;
  while (!rest.empty() && rest.front() != '"') {
    const bool escapes = rest.front() == '\\' && rest.size() > 1 &&
                         std::string_view("$`\"\\\n").find(rest[1]) != std::string_view::npos;
    if (escapes) rest.remove_prefix(1);
    text += rest.front();
    rest.remove_prefix(1);
  }
  rest.remove_prefix(std::min<std::size_t>(1, rest.size()));
  return text;
}

std::string take_word(std::string_view& rest) {
  std::string word;
  while (!rest.empty() && blanks.find(rest.front()) == std::string_view::npos &&
         operators.find(rest.front()) == std::string_view::npos) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '\'') {
      word += take_single_quoted(rest);
    } else if (c == '"') {
      word += take_double_quoted(rest);
    } else if (c == '\\' && !rest.empty()) {
      word += rest.front();
      rest.remove_prefix(1);
    } else {
      word += c;
    }
  }
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
