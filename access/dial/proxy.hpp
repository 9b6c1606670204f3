// The proxy that the user or the environment names, and connections to the edge through it by
// libcurl.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "access/core/url.hpp"
#include "access/io/wire.hpp"
#include "access/tls/connection_options.hpp"

namespace mayfly {

class Deadline;

struct ProxyChoice {
  std::string url;       // "" for none
  std::string named_by;  // "--proxy", or the variable
};
// Returns the proxy for https by the options or the environment, as libcurl reads it. NO_PROXY is
// another question: see is_exempt_from_proxy().
ProxyChoice proxy_choice(const ConnectionOptions& options);

// Returns whether NO_PROXY exempts this host from the proxy. libcurl decides: it is told to connect
// and stopped once its first address is known. Throws Error(failed) without libcurl.
bool is_exempt_from_proxy(const ConnectionOptions& options, const Url& url);

// Returns the proxy's URL fit to be shown: without user name and password.
std::string shown_proxy(std::string_view url);

// Returns the connection that TLS to the edge goes over: a socket, or libcurl's TLS to an https
// proxy. Throws Error(network).
asio::awaitable<std::unique_ptr<Wire>> connect_by_proxy(ConnectionOptions options, Url url,
                                                        std::string proxy, Deadline& deadline);

}  // namespace mayfly
