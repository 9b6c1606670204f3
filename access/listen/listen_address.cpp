#include "access/listen/listen_address.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw Error(
      ErrorKind::usage, fmt::format("cannot listen on \"{}\": {}", printable(text), why),
      "an address is written HOST:PORT, [IPv6]:PORT, PORT, SCHEME://HOST:PORT or unix:PATH");
}

// Scripts write the protocol of the origin ("ssh://", "tcp://"), which does not matter here.
std::string_view without_scheme(std::string_view text) {
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos || end == 0) return text;
  const bool is_scheme = std::ranges::all_of(text.substr(0, end), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '-' || c == '.';
  });
  if (!is_scheme) return text;
  text.remove_prefix(end + 3);
  return text;
}

ListenAddress unix_path(std::string_view text, std::string_view path) {
  if (path.starts_with("//")) path.remove_prefix(2);
  if (path.empty()) refuse(text, "the path is missing");
  if (path.find('\0') != std::string_view::npos) refuse(text, "the path holds a NUL");
  ListenAddress address;
  address.family = ListenAddress::Family::unix_socket;
  address.path = path;
  return address;
}

}  // namespace

ListenAddress ListenAddress::parse(std::string_view text) {
  if (text.starts_with("unix:")) return unix_path(text, text.substr(5));
  std::string_view rest = without_scheme(text);
  if (rest.ends_with('/')) rest.remove_suffix(1);  // the end of a URL
  const auto fields = colon_fields(rest);
  const auto port = parse_port(fields.back());
  if (!port) refuse(text, "there is no port from 0 to 65535 at its end");
  const std::string_view field = fields.size() == 1 ? std::string_view() : fields.front();
  const std::string_view host = without_brackets(field);
  const bool is_host = host != field ? is_ipv6(host) : field.empty() || is_host_name(field);
  if (fields.size() > 2 || !is_host) refuse(text, "that is no host");
  ListenAddress address;
  address.host = host;
  address.port = *port;
  return address;
}

}  // namespace mayfly
