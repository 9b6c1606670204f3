// Plays a scripted WebSocket peer, byte by byte.
#pragma once

#include "passage.hpp"
#include "tls_stream.hpp"

namespace edge {

asio::awaitable<void> play_script(TlsStream& stream, Passage& passage);

}  // namespace edge
