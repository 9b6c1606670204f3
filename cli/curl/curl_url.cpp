#include "cli/curl/curl_url.hpp"

#include <algorithm>
#include <string>

namespace mayfly::cli {
namespace {

// RFC 3986 section 3.3, but for brackets, which are curl's globs.
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

// A user that curl might read as more than that stays, and the URL is refused for it.
std::string_view without_user(std::string_view authority) {
  const auto at = authority.find('@');
  const bool is_plain = authority.find_first_of("{}[]\\") >= at;
  return at != std::string_view::npos && is_plain ? authority.substr(at + 1) : authority;
}

// Cut at a folder's end, since the first half of a name is another's; a query is there as a whole
// or not at all.
std::string_view common_part(std::string_view rest) {
  rest = rest.substr(0, rest.find('#'));
  const auto end = std::min(rest.find_first_not_of(fit_for_a_path), rest.size());
  const std::string_view path = rest.substr(0, end);
  if (end == rest.size()) return path;
  if (rest[end] != '?') return path.substr(0, path.rfind('/') + 1);
  const bool is_fit = rest.find_first_not_of(fit_for_a_query, end) == std::string_view::npos;
  return is_fit ? rest : path;
}

}  // namespace

Url parse_curl_url(std::string_view argument) {
  const Parts parts = split_parts(argument);
  std::string text(parts.scheme);
  text += without_user(parts.authority);
  text += common_part(parts.rest);
  return parse_url(text);
}

}  // namespace mayfly::cli
