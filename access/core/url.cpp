#include "access/core/url.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>

#include <algorithm>
#include <vector>

#include "access/core/encoding.hpp"
#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/idn.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw Error(ErrorKind::usage,
              fmt::format("\"{}\" is no application URL: {}", printable(text), why),
              "give a host name such as vm.example.com, or https://vm.example.com/path");
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

// RFC 3986: unreserved, reserved and "%" may stand in a path or query.
bool is_url_text(std::string_view text) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?#[]@!$&'()*+,;=%";
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

// What people and scripts write there all the same ("?filter={a}"), as a browser would send it. Not
// the backslash, which some programs read as a slash.
std::string encode_unfit(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\' || is_url_text({&c, 1})) {
      result += c;
    } else {
      result += percent_encode(c);
    }
  }
  return result;
}

bool is_space_or_control(char c) {
  return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F;
}

struct Authority {
  std::string host;
  std::uint16_t port = 443;
};

// Returns the shortest spelling (RFC 5952), or "" for text that is no IPv6 address.
std::string shortest_ipv6(std::string_view text) {
  in6_addr address;
  if (!is_ipv6(text) || ::inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1) return {};
  return address_text(AF_INET6, &address);
}

// Returns "" for a well-formed one, else what is wrong with it.
std::string_view parse_authority(std::string_view text, Authority& result) {
  if (text.find('@') != std::string_view::npos) return "it names a user";
  const auto fields = colon_fields(text);
  if (text.starts_with('[')) {
    if (text.find(']') == std::string_view::npos) return "a bracket is not closed";
    if (!fields[0].ends_with(']')) return "something follows the bracket";
    result.host = shortest_ipv6(without_brackets(fields[0]));
    if (result.host.empty()) return "not an IPv6 address in the brackets";
  } else {
    result.host = to_lower(host_to_ascii(fields[0]));
    if (!result.host.empty() && result.host.back() == '.') result.host.pop_back();
    if (!is_host_name(result.host)) return "not a host name";
  }
  if (fields.size() == 1 || (fields.size() == 2 && fields[1].empty())) return {};
  const auto port = parse_port(fields[1]);
  if (fields.size() > 2 || !port || *port == 0) return "not a port number";
  result.port = *port;
  return {};
}

struct Parts {
  std::string_view authority, path, query;
};

Parts split_parts(std::string_view rest) {
  rest = rest.substr(0, rest.find('#'));
  Parts parts;
  const auto end = rest.find_first_of("/?");
  parts.authority = rest.substr(0, end);
  if (end == std::string_view::npos) return parts;
  rest.remove_prefix(end);
  const auto question = rest.find('?');
  parts.path = rest.substr(0, question);
  if (question != std::string_view::npos) parts.query = rest.substr(question + 1);
  return parts;
}

// "." and "..", with dots as they are or percent-encoded, as browsers know them (URL Standard,
// "single-dot" and "double-dot URL path segment").
enum class Segment { name, here, up };

Segment kind_of(std::string_view segment) {
  constexpr std::size_t longest = std::string_view("%2e%2e").size();
  if (segment.size() > longest) return Segment::name;
  std::string dots = to_lower(segment);
  for (std::size_t at; (at = dots.find("%2e")) != std::string::npos;) dots.replace(at, 3, ".");
  return dots == "." ? Segment::here : dots == ".." ? Segment::up : Segment::name;
}

// RFC 3986 section 5.2.4.
std::string remove_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  const auto segments = split(path, '/');
  for (std::size_t i = 1; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    const Segment kind = kind_of(segments[i]);
    if (kind == Segment::name) {
      kept.push_back(segments[i]);
      continue;
    }
    if (kind == Segment::up && !kept.empty()) kept.pop_back();
    if (last) kept.emplace_back();
  }
  std::string result;
  for (const auto segment : kept) result.append("/").append(segment);
  return result;
}

// RFC 3986 section 5.2.2, for a reference without scheme and authority.
Url resolve_relative(const Url& base, std::string_view reference) {
  Url result = base;
  reference = reference.substr(0, reference.find('#'));
  if (reference.empty()) return result;
  const auto question = reference.find('?');
  const std::string path(reference.substr(0, question));
  result.query = question == std::string_view::npos ? "" : reference.substr(question + 1);
  if (path.empty()) return result;
  // A base without a path stands for "/".
  const std::string folder = base.path.substr(0, base.path.rfind('/') + 1);
  const std::string before = path.front() == '/' ? "" : folder.empty() ? "/" : folder;
  result.path = remove_dot_segments(before + path);
  return result;
}

}  // namespace

std::string Url::authority() const {
  return port == 443 ? bracketed(host) : host_port(host, port);
}

std::string Url::origin() const {
  return "https://" + authority();
}

std::string Url::text() const {
  return origin() + path + (query.empty() ? "" : "?" + query);
}

Url parse_url(std::string_view text) {
  if (text.empty()) refuse(text, "it is empty");
  if (std::any_of(text.begin(), text.end(), is_space_or_control)) {
    refuse(text, "it holds a space or a control character");
  }
  std::string_view rest = text;
  if (starts_with_ignoring_case(rest, "https://")) {
    rest.remove_prefix(8);
  } else if (starts_with_ignoring_case(rest, "http://")) {
    rest.remove_prefix(7);
  } else if (rest.find("://") != std::string_view::npos &&
             rest.find("://") < rest.find_first_of("/?#")) {
    refuse(text, "its scheme is neither https nor http");
  }
  // It would be the host "https" with an empty port.
  if (starts_with_ignoring_case(rest, "https:") || starts_with_ignoring_case(rest, "http:")) {
    refuse(text, "its scheme is misspelt");
  }
  const Parts parts = split_parts(rest);
  const std::string path = encode_unfit(parts.path), query = encode_unfit(parts.query);
  if (!is_url_text(path) || !is_url_text(query)) refuse(text, "it holds a backslash");
  Authority authority;
  const bool has_scheme = rest.size() < text.size();
  if (!has_scheme) authority.host = shortest_ipv6(parts.authority);
  if (authority.host.empty())
    if (const auto wrong = parse_authority(parts.authority, authority); !wrong.empty())
      refuse(text, wrong);
  return {authority.host, authority.port, remove_dot_segments(path), query};
}

Url resolve_location(const Url& base, std::string_view location) {
  const auto bad = [&](std::string_view why) {
    return Error(ErrorKind::protocol,
                 fmt::format("{} redirects to {}: {}", base.host, printable(location), why));
  };
  if (location.empty() || location.size() > 16384 || !is_url_text(location)) {
    throw bad("not a URL");
  }
  std::string_view rest = location;
  if (starts_with_ignoring_case(location, "https://")) {
    rest.remove_prefix(8);
  } else if (location.starts_with("//")) {
    rest.remove_prefix(2);
  } else if (location.find(':') < location.find_first_of("/?#")) {
    throw bad("not https");
  } else {
    return resolve_relative(base, location);
  }
  const Parts parts = split_parts(rest);
  Authority authority;
  if (const auto wrong = parse_authority(parts.authority, authority); !wrong.empty()) {
    throw bad(wrong);
  }
  return {authority.host, authority.port, remove_dot_segments(parts.path),
          std::string(parts.query)};
}

std::string query_value(std::string_view query, std::string_view name) {
  for (const std::string_view pair : split(query, '&')) {
    const auto equals = pair.find('=');
    if (percent_decode(pair.substr(0, equals), Plus::space) != name) continue;
    return equals == std::string_view::npos ? ""
                                            : percent_decode(pair.substr(equals + 1), Plus::space);
  }
  return {};
}

std::string form_encode(std::string_view text) {
  std::string result;
  for (const char c : text)
    result += is_unreserved(c) ? std::string(1, c) : c == ' ' ? "+" : percent_encode(c);
  return result;
}

}  // namespace mayfly
