// Finds the addresses for a host and port: the user's overrides, then the name service.
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

// Returns the target that the first matching entry of connect_to ("HOST:PORT:HOST2:PORT2", any
// field may be empty, IPv6 in brackets) puts in place of this one, as curl's CONNECT_TO does.
Target redirected(const Target& target, const std::vector<std::string>& connect_to);

// Returns the addresses that an entry of resolve ("HOST:PORT:ADDRESS[,ADDRESS]") gives, if any.
std::vector<asio::ip::tcp::endpoint> pinned(const Target& target,
                                            const std::vector<std::string>& resolve);

struct LookedUp {
  std::vector<asio::ip::tcp::endpoint> found;
  int failure = 0;  // EAI_... of getaddrinfo
};

// Calls getaddrinfo in a thread of its own. A deadline leaves the thread behind, so a stuck name
// server delays neither the loop nor the end of the process. IPv6 and IPv4 alternate (RFC 8305
// section 4). Returns no address if the name is not known or the deadline passed. A target that is
// an address needs no thread.
asio::awaitable<LookedUp> look_up(Target target, Deadline& deadline);

}  // namespace mayfly
