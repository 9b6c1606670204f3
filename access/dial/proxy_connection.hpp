// A connection to the edge through the proxy that the user or the environment names: libcurl's
// work.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <string>

#include "access/core/url.hpp"
#include "access/io/wire.hpp"
#include "access/tls/connection_options.hpp"

namespace mayfly {

class Deadline;

// What TLS to the edge goes over: the socket itself, or libcurl's TLS to an https proxy. Throws
// Error(network).
asio::awaitable<std::unique_ptr<Wire>> connect_by_proxy(ConnectionOptions options, Url url,
                                                        std::string proxy, Deadline& deadline);

}  // namespace mayfly
