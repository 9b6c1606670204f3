// One TLS connection from its handshake to its end.
#pragma once

#include "edge.hpp"
#include "tls_stream.hpp"

namespace edge {

asio::awaitable<void> serve(Edge& edge, TlsServer& server, Socket socket);

}  // namespace edge
