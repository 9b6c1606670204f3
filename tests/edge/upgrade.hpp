// The answer to a WebSocket upgrade, written by hand: right, or wrong in a chosen way.
#pragma once

#include <string>
#include <vector>

#include "passage.hpp"
#include "tls_stream.hpp"

namespace edge {

// The bytes of a 101; `flaw` is the name of an upgrade.* fault without its area, or "".
std::string upgrade_head(const Request& request, const std::vector<Field>& fields,
                         const std::string& flaw);

// Answers with a spoilt 101 and then only listens until the client goes.
asio::awaitable<void> spoil_upgrade(TlsStream& stream, Passage& passage);

}  // namespace edge
