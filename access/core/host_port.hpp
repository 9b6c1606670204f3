// "host:port", put together and taken apart. IPv6 addresses stand in brackets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly {

bool is_ipv4(std::string_view text);
bool is_ipv6(std::string_view text);  // without brackets and zone
// Returns the text of an in_addr (AF_INET) or in6_addr (AF_INET6).
std::string address_text(int family, const void* address);

// Returns the host, an IPv6 address in brackets.
std::string bracketed(std::string_view host);
// Returns the host of a field, without brackets.
std::string_view without_brackets(std::string_view field);
// Returns "host:port".
std::string host_port(std::string_view host, std::uint16_t port);

// Splits at each colon outside brackets: "[::1]:443:other:80" has four fields, of which the first
// is "[::1]".
std::vector<std::string_view> colon_fields(std::string_view text);
// Returns a port from 0 to 65535 that is written in decimal digits only, or nullopt.
std::optional<std::uint16_t> parse_port(std::string_view digits);

}  // namespace mayfly
