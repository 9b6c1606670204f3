// A listen address: a TCP address or the path of a Unix socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mayfly {

struct ListenAddress {
  enum class Family { tcp, unix_socket } family = Family::tcp;
  std::string host;  // tcp: a name or an address; "" means localhost
  std::uint16_t port = 0;
  std::string path;    // unix_socket
  int inherited = -1;  // the descriptor of a socket that listens (inherited_sockets.hpp)

  // Reads "HOST:PORT", "[IPv6]:PORT", "PORT", "SCHEME://HOST:PORT" or "unix:PATH". Throws
  // Error(usage).
  static ListenAddress parse(std::string_view text);
};

}  // namespace mayfly
