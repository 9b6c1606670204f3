// Values quoted for the shell and for ssh_config.
#include "fuzz.hpp"
#include "property.hpp"
#include "shell_reading.hpp"
#include "sshconfig/quote.hpp"
#include "sshconfig/shell_words.hpp"

namespace mayfly::fuzz {
namespace {

using namespace sshconfig;

std::string with_percents_doubled(std::string_view text) {
  std::string result;
  for (const char c : text) result.append(c == '%' ? 2 : 1, c);
  return result;
}

// As OpenSSH's argv_split() reads one argument, to its end.
std::optional<std::string> config_argument(std::string_view text) {
  if (!text.starts_with('"'))
    return text.find_first_of(" \t\"'\\#") == std::string_view::npos
               ? std::optional(std::string(text))
               : std::nullopt;
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) {
      value += text[++i];
    } else if (text[i] == '"') {
      return i + 1 == text.size() ? std::optional(value) : std::nullopt;
    } else {
      value += text[i];
    }
  }
  return std::nullopt;
}

const Harness harness("quote", [](std::string_view input) {
  const auto word = result_of({ErrorKind::usage}, [&] { return shell_word(input); });
  if (word) {
    require(word->find('"') == std::string::npos, "it may stand between double quotes");
    require(shell_words(*word) == std::vector{with_percents_doubled(input)},
            "the shell reads what was meant");
    require(sshconfig::shell_words(*word) == std::vector{with_percents_doubled(input)},
            "doctor reads what was meant");
  }
  for (const auto& text : sshconfig::shell_words(input))
    require(text.size() <= input.size(), "no word is longer than its command");
  const auto argument = result_of({ErrorKind::usage}, [&] { return config_word(input); });
  require(word.has_value() == argument.has_value(), "control characters are refused alike");
  if (argument) require(config_argument(*argument) == input, "ssh reads what was meant");
  const auto plain = result_of({ErrorKind::usage}, [&] { return without_tokens(input); });
  if (plain) require(*plain == with_percents_doubled(input), "tokens are none");
});

}  // namespace
}  // namespace mayfly::fuzz
