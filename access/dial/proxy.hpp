// Connections to the edge through a proxy, by libcurl.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <string>

#include "access/core/url.hpp"
#include "access/curl/proxy_choice.hpp"
#include "access/io/wire.hpp"
#include "access/tls/connection_options.hpp"

namespace mayfly {

class Deadline;

// Returns the connection that TLS to the edge goes over: a socket, or libcurl's TLS to an https
// proxy. Throws Error(network).
asio::awaitable<std::unique_ptr<Wire>> connect_by_proxy(ConnectionOptions options, Url url,
                                                        std::string proxy, Deadline& deadline);

}  // namespace mayfly
