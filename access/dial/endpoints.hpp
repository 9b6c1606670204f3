// Where to connect for a host and port: the user's overrides, then the name service.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <string>
#include <vector>

#include "access/tls/connection_options.hpp"

namespace mayfly {

class Deadline;

struct Target {
  std::string host;  // name or address, IPv6 without brackets
  std::string port;
  bool operator==(const Target&) const = default;
};

// What the first matching entry of connect_to ("HOST:PORT:HOST2:PORT2", any field may be empty,
// IPv6 in brackets) makes of it, as curl's CONNECT_TO.
Target redirected(const Target& target, const std::vector<std::string>& connect_to);

// The addresses that an entry of resolve ("HOST:PORT:ADDRESS[,ADDRESS]") pins; empty when none
// does.
std::vector<asio::ip::tcp::endpoint> pinned(const Target& target,
                                            const std::vector<std::string>& resolve);

struct LookedUp {
  std::vector<asio::ip::tcp::endpoint> found;
  int failure = 0;  // EAI_... of getaddrinfo
};

// By getaddrinfo in a thread of its own, which a deadline leaves behind: no stuck name server holds
// up the loop or the end of the process. IPv6 and IPv4 alternate (RFC 8305 section 4). Empty when
// the name is not known or the deadline passed; addresses need no thread.
asio::awaitable<LookedUp> look_up(Target target, Deadline& deadline);

}  // namespace mayfly
