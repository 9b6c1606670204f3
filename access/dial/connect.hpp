// Connects to the first of several addresses that answers (RFC 8305, "Happy Eyeballs").
#pragma once

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <string>
#include <vector>

#include "access/system/descriptor.hpp"

namespace mayfly {

class Deadline;

struct Connected {
  Descriptor socket;         // invalid if no address answered
  asio::error_code error;    // why; timed_out if the deadline passed
  std::string address = {};  // of the attempt that failed so
};

// Tries the addresses in their order, each 250 ms after the one before, or at once if that one has
// failed.
asio::awaitable<Connected> connect_to_any(std::vector<asio::ip::tcp::endpoint> endpoints,
                                          Deadline& deadline);

}  // namespace mayfly
