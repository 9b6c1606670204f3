#include "sshconfig/percent_tokens.hpp"

namespace mayfly::sshconfig {

std::string with_tokens(std::string_view text, const std::map<char, std::string>& values) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    ++i;
    const auto value = values.find(text[i]);
    if (text[i] == '%')
      result += '%';
    else if (value != values.end())
      result += value->second;
    else
      result += text.substr(i - 1, 2);
  }
  return result;
}

}  // namespace mayfly::sshconfig
