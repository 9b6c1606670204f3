// A TCP connection to the first of several addresses that answers (RFC 8305, "Happy Eyeballs").
#pragma once

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <string>
#include <vector>

#include "access/system/descriptor.hpp"

namespace mayfly {

class Deadline;

struct Connected {
  Descriptor socket;         // none: see error
  asio::error_code error;    // what kept it from being; timed_out when the deadline passed
  std::string address = {};  // of the attempt that met it
};

// Tries the addresses in their order, the next one 250 ms after the one before or when that has
// failed.
asio::awaitable<Connected> connect_to_any(std::vector<asio::ip::tcp::endpoint> endpoints,
                                          Deadline& deadline);

}  // namespace mayfly
