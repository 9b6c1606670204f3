#include "cli/curl/redaction.hpp"

#include <algorithm>
#include <utility>

#include "access/answer/cookies.hpp"
#include "access/core/text.hpp"

namespace mayfly::cli {
namespace {

// In lower case.
constexpr std::string_view headers_of_access[] = {"cf-access-token", "cf-access-client-secret",
                                                  "cf-access-jwt-assertion"};
// curl cuts long lines: a secret of which at least this much is there is hidden.
constexpr std::size_t least_of_secret = 8;
constexpr std::string_view replacement = "***";
constexpr std::string_view jar_begins = "# Netscape HTTP Cookie File";

// Returns whether the value of a cookie ends there in a header, JSON, curl's messages or a jar.
bool ends_value(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == ';' || c == '"' || c == ',' || c == '\\';
}

// Headers have "=" after a name, and a jar a tab.
bool separates(char c) {
  return c == '=' || c == '\t';
}

bool is_cookie_line_of_access(std::string_view line) {
  constexpr std::size_t name_field = 5;
  const auto fields = split(line, '\t');
  return fields.size() > name_field && is_cookie_of_access(fields[name_field]);
}

}  // namespace

Redaction::Redaction(std::vector<Secret> secrets) : secrets_(std::move(secrets)), firsts_("Cc") {
  std::erase_if(secrets_, [](const Secret& secret) { return secret.empty(); });
  for (const Secret& secret : secrets_) firsts_ += secret.reveal().front();
}

Redaction::Found Redaction::look(std::string_view text) const {
  using What = Found::What;
  Found found;
  bool may_go_on = false;
  for (const Secret& secret : secrets_) {
    const std::string_view whole = secret.reveal();
    const auto differs = std::mismatch(text.begin(), text.end(), whole.begin(), whole.end()).first;
    const auto size = static_cast<std::size_t>(differs - text.begin());
    if (size == whole.size()) return {What::secret, size};
    if (size == text.size()) may_go_on = true;
    if (size >= std::max(least_of_secret, found.size)) found = {What::secret, size};
  }
  for (const std::string_view name : cookies_of_access) {
    if (name.starts_with(text)) may_go_on = true;
    if (text.starts_with(name) && text.size() > name.size() && separates(text[name.size()]))
      return {What::cookie, name.size() + 1};
  }
  for (const std::string_view name : headers_of_access) {
    const std::string begin = to_lower(text.substr(0, name.size()));
    if (begin.size() <= name.size() && name.starts_with(begin) && begin.size() == text.size())
      may_go_on = true;
    if (begin == name && text.size() > name.size() &&
        (text[name.size()] == ':' || text[name.size()] == '"'))
      return {What::header, name.size() + 1};
  }
  if (may_go_on && !is_over_) return {What::perhaps, 0};
  return found;
}

void Redaction::take_value(std::string_view& text, std::string& shown) {
  if (inside_ == Inside::header_begin) {
    const auto begin = std::min(text.find_first_not_of(" \t:[\""), text.size());
    shown += text.substr(0, begin);
    text.remove_prefix(begin);
    if (text.empty()) return;
    inside_ = Inside::value_begin;
  }
  if (inside_ == Inside::value_begin && text.front() == '"') {
    shown += '"';
    text.remove_prefix(1);
  }
  if (text.empty()) return;
  const auto end = std::find_if(text.begin(), text.end(), ends_value);
  if (inside_ == Inside::value_begin && end != text.begin()) shown += replacement;
  inside_ = end == text.end() ? Inside::value : Inside::text;
  text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
}

std::string Redaction::next(std::string_view piece) {
  held_ += piece;
  std::string_view text = held_;
  std::string shown;
  while (!text.empty()) {
    if (inside_ != Inside::text) {
      take_value(text, shown);
      continue;
    }
    const auto plain = std::min(text.find_first_of(firsts_), text.size());
    shown += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const Found found = look(text);
    if (found.what == Found::What::perhaps) break;
    if (found.what == Found::What::secret) shown += replacement;
    const std::size_t size = std::max<std::size_t>(found.size, 1);
    if (found.what != Found::What::secret) shown += text.substr(0, size);
    if (found.what == Found::What::cookie) inside_ = Inside::value_begin;
    if (found.what == Found::What::header) inside_ = Inside::header_begin;
    text.remove_prefix(size);
  }
  std::string held(text);
  held_ = std::move(held);
  return shown;
}

std::string Redaction::rest() {
  is_over_ = true;
  return next({});
}

std::string cleaned_cookie_jar(std::string_view written) {
  const auto begin = written.rfind(jar_begins);
  if (begin == std::string_view::npos) return {};
  std::string jar;
  for (std::string_view rest = written.substr(begin); !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    const std::string_view line = rest.substr(0, end);
    if (!is_cookie_line_of_access(line)) jar += line;
    rest.remove_prefix(end);
  }
  return jar;
}

}  // namespace mayfly::cli
