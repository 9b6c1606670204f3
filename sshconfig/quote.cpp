#include "sshconfig/quote.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "access/core/error.hpp"
#include "access/core/text.hpp"

namespace mayfly::sshconfig {
namespace {

constexpr std::string_view alphanumeric =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

bool is_made_of(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return alphanumeric.find(c) != std::string_view::npos || more.find(c) != std::string_view::npos;
  });
}

void refuse_control_characters(std::string_view text) {
  const bool found = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (!found) return;
  throw Error(ErrorKind::usage,
              fmt::format("cannot write {} into an ssh_config: it holds a control character",
                          printable(text)));
}

std::string double_percents(std::string_view text) {
  std::string result;
  for (const char c : text) result.append(c == '%' ? 2 : 1, c);
  return result;
}

}  // namespace

std::string shell_word(std::string_view text) {
  refuse_control_characters(text);
  if (!text.empty() && is_made_of(text, "/._-+,:@=%")) return double_percents(text);
  std::string word = "'";
  for (const char c : double_percents(text)) {
    if (c == '\'' || c == '"' || c == '\\') {
      // Before OpenSSH 9.9 nothing stands for a double quote between double quotes; from 9.9 on,
      // ssh removes a backslash before a quote or another backslash. Therefore the shell makes
      // these three characters.
      word += fmt::format("'$(printf '\\{:03o}')'", static_cast<unsigned>(c));
    } else {
      word += c;
    }
  }
  return word + "'";
}

std::string config_word(std::string_view text) {
  refuse_control_characters(text);
  if (!text.empty() && is_made_of(text, "/._-+,:@=%~*?!")) return std::string(text);
  std::string word = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') word += '\\';
    word += c;
  }
  return word + "\"";
}

std::string without_tokens(std::string_view text) {
  refuse_control_characters(text);
  if (text.find("${") != std::string_view::npos) {
    throw Error(ErrorKind::usage,
                fmt::format("cannot write {} into an ssh_config: ssh would expand \"${{\" in it",
                            printable(text)),
                "choose a directory without it");
  }
  return double_percents(text);
}

}  // namespace mayfly::sshconfig
