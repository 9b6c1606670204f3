// The URL of an application: https, a host, perhaps a port, a path and a query.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mayfly {

struct Url {
  std::string host;  // lower case ASCII; an IPv6 address without its brackets
  std::uint16_t port = 443;
  std::string path;   // percent-encoded, without dot segments; "" or begins with "/"
  std::string query;  // without "?"

  // "host:port", the port only when it is not 443, IPv6 in brackets.
  std::string authority() const;
  // "https://" authority path ["?" query].
  std::string text() const;
  std::string origin() const;  // "https://" authority
  bool operator==(const Url&) const = default;
};

// What people and scripts pass as an application: "host", "host/path", "host:port", a bare IPv6
// address, "http://" and "https://" URLs (http becomes https). A fragment is dropped. IDN hosts are
// converted, what RFC 3986 does not allow in path and query is percent-encoded, and dot segments
// are removed as browsers do it, since the server would: what is shown, asked for and made names of
// is then the same. User info, control characters, spaces and backslashes are refused. Throws usage
// Error.
Url parse_url(std::string_view text);

// A URL or reference that a server sent in Location, resolved against the request's URL, without
// dot segments as in parse_url(). Only https; nothing else comes back. Throws protocol Error.
Url resolve_location(const Url& base, std::string_view location);

// Value of the first `name` in a query string, percent-decoded; "" when absent.
std::string query_value(std::string_view query, std::string_view name);
// RFC 3986 unreserved characters stay, everything else is %XX; spaces become "+" as in HTML forms.
std::string form_encode(std::string_view text);

}  // namespace mayfly
