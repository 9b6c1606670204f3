#include "access/core/host_port.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <charconv>

namespace mayfly {
namespace {

bool is_address(int family, std::string_view text) {
  in6_addr room;  // the larger of the two
  return text.find('\0') == std::string_view::npos &&
         inet_pton(family, std::string(text).c_str(), &room) == 1;
}

}  // namespace

bool is_ipv4(std::string_view text) {
  return is_address(AF_INET, text);
}

bool is_ipv6(std::string_view text) {
  return is_address(AF_INET6, text);
}

std::string address_text(int family, const void* address) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(family, address, text, sizeof text) != nullptr ? text : "";
}

std::string bracketed(std::string_view host) {
  return host.find(':') == std::string_view::npos ? std::string(host) : fmt::format("[{}]", host);
}

std::string_view without_brackets(std::string_view field) {
  return field.starts_with('[') && field.ends_with(']') ? field.substr(1, field.size() - 2) : field;
}

std::string host_port(std::string_view host, std::uint16_t port) {
  return fmt::format("{}:{}", bracketed(host), port);
}

std::vector<std::string_view> colon_fields(std::string_view text) {
  std::vector<std::string_view> fields;
  for (;;) {
    const auto close = text.starts_with('[') ? text.find(']') : 0;
    const auto colon = text.find(':', close == std::string_view::npos ? 0 : close);
    fields.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return fields;
    text.remove_prefix(colon + 1);
  }
}

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
    return std::nullopt;
  return port;
}

}  // namespace mayfly
