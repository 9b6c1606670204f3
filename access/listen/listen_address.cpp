#include "access/listen/listen_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "access/core/error.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw Error(
      ErrorKind::usage, fmt::format("cannot listen on \"{}\": {}", printable(text), why),
      "an address is written HOST:PORT, [IPv6]:PORT, PORT, SCHEME://HOST:PORT or unix:PATH");
}

std::optional<std::uint16_t> port_in(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
    return std::nullopt;
  return port;
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

bool is_ipv6(std::string_view text) {
  return text.find(':') != std::string_view::npos &&
         text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
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
  const std::size_t colon = rest.rfind(':');
  std::string_view host = colon == std::string_view::npos ? "" : rest.substr(0, colon);
  const std::string_view digits = colon == std::string_view::npos ? rest : rest.substr(colon + 1);
  const auto port = port_in(digits);
  if (!port) refuse(text, "there is no port from 0 to 65535 at its end");
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  if (brackets ? !is_ipv6(host) : !host.empty() && !is_host_name(host))
    refuse(text, "that is no host");
  ListenAddress address;
  address.host = host;
  address.port = *port;
  return address;
}

}  // namespace mayfly
