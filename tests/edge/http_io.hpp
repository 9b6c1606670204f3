// HTTP/1.1 on a connection: requests in, bytes of responses out.
#pragma once

#include <string>

#include "asio.hpp"
#include "message.hpp"
#include "tls_stream.hpp"

namespace edge {

// Reads one request; false at the end of the stream or when it is not HTTP. `buffer` keeps what was
// read too far.
asio::awaitable<bool> read_request(TlsStream& stream, std::string& buffer, Request& request);
asio::awaitable<bool> read_request(Socket& socket, std::string& buffer, Request& request);

// False when the peer is gone.
asio::awaitable<bool> write_all(TlsStream& stream, std::string_view bytes);
asio::awaitable<bool> write_all(Socket& socket, std::string_view bytes);

}  // namespace edge
