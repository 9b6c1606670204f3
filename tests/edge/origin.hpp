// Connecting to what stands behind an application.
#pragma once

#include "asio.hpp"
#include "passage.hpp"
#include "tls_stream.hpp"

namespace edge {

struct Destination {
  std::string host;
  std::uint16_t port = 0;
};

// The address bytes go to, for the origins that have one; an answer when that is not to be.
std::optional<Response> choose_destination(const Passage& passage,
                                           std::optional<Destination>& destination);

// Connects to a numeric address or localhost.
asio::awaitable<bool> connect(Socket& socket, const std::string& host, std::uint16_t port);

// Answers the request with a page of ours instead, and notes it in the log.
asio::awaitable<void> answer_instead(TlsStream& stream, const Passage& passage,
                                     const Response& page);

// Returns when the peer has closed its side, whether or not anybody reads.
asio::awaitable<void> wait_until_gone(TlsStream& stream);

}  // namespace edge
