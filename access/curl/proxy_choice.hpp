// The proxy that the user or the environment names, and the hosts that are exempt from it.
#pragma once

#include <string>
#include <string_view>

#include "access/core/url.hpp"
#include "access/tls/connection_options.hpp"

namespace mayfly {

struct ProxyChoice {
  std::string url;       // "" for none
  std::string named_by;  // "--proxy", or the variable
};
// Returns the URL of a proxy as curl and libcurl read it: for the scheme "socks", which GNOME puts
// into all_proxy and curl takes for SOCKS4, "socks5h", so that the proxy looks names up.
std::string proxy_for_curl(const std::string& proxy);

// Returns the proxy for https by the options or the environment, as proxy_for_curl()
// has it. NO_PROXY is another question: see is_exempt_from_proxy().
ProxyChoice proxy_choice(const ConnectionOptions& options);

// Returns whether an entry of NO_PROXY that libcurl does not know exempts the URL: "*.example.com",
// which means the hosts below example.com, and "HOST:PORT", as in cloudflared.
bool is_exempt_by_pattern(const Url& url);

// Returns whether NO_PROXY exempts this host from the proxy. libcurl decides: it is told to connect
// and stopped once its first address is known. Throws Error(failed) without libcurl.
bool is_exempt_from_proxy(const ConnectionOptions& options, const Url& url);

// Return whether the proxy's URL has a SOCKS scheme, and whether it has a user name.
bool is_socks(std::string_view proxy);
bool has_user(std::string_view proxy);
// Returns whether the user or the environment names a proxy of HTTP without a user name, which may
// ask for a Kerberos ticket (RFC 4559).
bool may_ask_for_kerberos(const ConnectionOptions& options);

// Returns the proxy's URL fit to be shown: without user name and password.
std::string shown_proxy(std::string_view url);

}  // namespace mayfly
