#include "cli/curl/curl_url.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "access/core/access_path.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"

namespace mayfly::cli {
namespace {

// From RFC 3986 section 3.3, without brackets, which are curl's globs.
constexpr std::string_view fit_for_a_path =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=:@/";
constexpr std::string_view fit_for_a_query =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=:@/?";

struct Parts {
  std::string_view scheme, authority, rest;
};

Parts split_parts(std::string_view text) {
  Parts parts;
  const auto colon = text.find("://");
  if (colon < text.find_first_of("/?#")) parts.scheme = text.substr(0, colon + 3);
  text.remove_prefix(parts.scheme.size());
  const auto end = std::min(text.find_first_of("/?#"), text.size());
  parts.authority = text.substr(0, end);
  parts.rest = text.substr(end);
  return parts;
}

// Leaves a user that curl might read as something else; parse_url() then refuses the URL.
std::string_view without_user(std::string_view authority) {
  const auto at = authority.find('@');
  const bool is_plain = authority.find_first_of("{}[]\\") >= at;
  return at != std::string_view::npos && is_plain ? authority.substr(at + 1) : authority;
}

// Cuts the path after a slash, since half a name is another name, and leaves out a query that has a
// glob.
std::string_view common_part(std::string_view rest) {
  rest = rest.substr(0, rest.find('#'));
  const auto end = std::min(rest.find_first_not_of(fit_for_a_path), rest.size());
  const std::string_view path = rest.substr(0, end);
  if (end == rest.size()) return path;
  if (rest[end] != '?') return path.substr(0, path.rfind('/') + 1);
  const bool is_fit = rest.find_first_not_of(fit_for_a_query, end) == std::string_view::npos;
  return is_fit ? rest : path;
}

bool is_harmless(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  return path == "/cdn-cgi/access/get-identity" || path == "/cdn-cgi/access/logout";
}

// Each result of a glob has characters of the text in their order, and any character for a range.
// Encoded and non-ASCII characters may become any character, too.
bool may_become_path_of_access(std::string_view text) {
  std::string_view missing = "cdn-cgiaccess";
  for (const char c : to_lower(before_query_of_globs(text))) {
    const bool is_any = c == '[' || c == '%' || static_cast<unsigned char>(c) >= 0x80;
    if (!missing.empty() && (is_any || c == missing.front())) missing.remove_prefix(1);
  }
  return missing.empty();
}

// curl takes any number of slashes after the scheme, so that each of them may begin the path.
bool leads_to_access(std::string_view argument) {
  const Parts parts = split_parts(argument);
  const std::string_view path = parts.rest.substr(0, parts.rest.find('#'));
  if (argument.find_first_of("{[") != std::string_view::npos)
    return may_become_path_of_access(argument);
  if (!parts.authority.empty() && !parts.authority.ends_with(':'))
    return !is_harmless(path) && may_be_path_of_access(path);
  for (std::size_t at = 0; (at = argument.find('/', at)) != std::string_view::npos; ++at)
    if (may_be_path_of_access(argument.substr(at))) return true;
  return false;
}

[[noreturn]] void refuse_access(std::string_view what) {
  throw Error(ErrorKind::usage,
              fmt::format("{} may lead to a path of Access itself, which hands out tokens",
                          printable(what)),
              "of these paths, curl goes to /cdn-cgi/access/get-identity and "
              "/cdn-cgi/access/logout alone");
}

}  // namespace

Url parse_curl_url(std::string_view argument) {
  const Parts parts = split_parts(argument);
  std::string text(parts.scheme);
  text += without_user(parts.authority);
  text += common_part(parts.rest);
  return parse_url(text);
}

void refuse_access_in_curl_url(std::string_view argument) {
  if (leads_to_access(argument)) refuse_access(argument.substr(0, argument.find('?')));
}

void refuse_access_in_curl_target(std::string_view target) {
  if (!is_harmless(target) && may_be_path_of_access(target))
    refuse_access(target.substr(0, target.find('?')));
}

std::string_view before_query_of_globs(std::string_view argument) {
  if (argument.find('\\') != std::string_view::npos) return argument;  // curl's escape in a glob
  int depth = 0;
  std::size_t end = argument.size();
  for (std::size_t i = 0; i < argument.size(); ++i) {
    const char c = argument[i];
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if ((c == '?' || c == '#') && depth == 0) end = std::min(end, i);
  }
  return depth == 0 ? argument.substr(0, end) : argument;
}

Url application_of_curl_url(Url url) {
  if (!may_be_path_of_access(url.path)) return url;
  url.path.clear();
  url.query.clear();
  return url;
}

}  // namespace mayfly::cli
