// Passing requests through to a plain HTTP origin.
#pragma once

#include "passage.hpp"
#include "tls_stream.hpp"

namespace edge {

// Serves one request (or upgraded connection); the connection is over afterwards.
asio::awaitable<void> forward(TlsStream& stream, Passage& passage);

}  // namespace edge
