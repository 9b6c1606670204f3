// A WebSocket and what its application does with it.
#pragma once

#include "passage.hpp"
#include "tls_stream.hpp"

namespace edge {

// Serves the upgraded connection to its end.
asio::awaitable<void> tunnel(TlsStream& stream, Passage& passage);

}  // namespace edge
