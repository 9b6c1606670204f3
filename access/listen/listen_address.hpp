// Where a listener listens: a TCP address or the path of a Unix socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mayfly {

struct ListenAddress {
  enum class Family { tcp, unix_socket } family = Family::tcp;
  std::string host;  // name or address; "" is never "any": it means localhost
  std::uint16_t port = 0;
  std::string path;  // unix_socket

  // "HOST:PORT", "[::1]:PORT", "PORT", "scheme://HOST:PORT", "unix:PATH". Throws usage Error.
  static ListenAddress parse(std::string_view text);
};

}  // namespace mayfly
