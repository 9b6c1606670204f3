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

// Reads the forms in which people and scripts name an application: "host", "host/path",
// "host:port", a bare IPv6 address, "http://" and "https://" URLs (http becomes https). Drops a
// fragment, converts IDN hosts, spells IPv6 addresses as RFC 5952 does, and percent-encodes
// characters that RFC 3986 does not allow in path and query. Removes dot segments as browsers do,
// so that messages, requests and file names mean the same path as the server. Throws usage Error
// for user info, control characters, spaces and backslashes.
Url parse_url(std::string_view text);

// Resolves a URL or reference that a server sent in Location against the request's URL, and removes
// dot segments as parse_url() does. Throws protocol Error unless the result is https.
Url resolve_location(const Url& base, std::string_view location);

// Returns the percent-decoded value of the first `name` in a query string, or "" if there is none.
std::string query_value(std::string_view query, std::string_view name);
// Percent-encodes everything but unreserved characters; spaces become "+" as in HTML forms.
std::string form_encode(std::string_view text);

}  // namespace mayfly
