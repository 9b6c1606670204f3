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

// Returns the addresses of a target that needs no name service: an address, or "localhost" or a
// name below it (RFC 6761 section 6.3). Empty for any other target.
std::vector<asio::ip::tcp::endpoint> known(const Target& target);

struct LookedUp {
  std::vector<asio::ip::tcp::endpoint> found;
  int failure = 0;   // EAI_... of getaddrinfo
  int shortage = 0;  // EMFILE or ENFILE if the failure is that no descriptor was left
};

// Calls getaddrinfo in a thread of its own. A deadline leaves the thread behind, so a stuck name
// server delays neither the loop nor the end of the process. IPv6 and IPv4 alternate (RFC 8305
// section 4). Returns no address if the name is not known or the deadline passed. A target that
// known() answers needs no thread.
asio::awaitable<LookedUp> look_up(Target target, Deadline& deadline);

}  // namespace mayfly
