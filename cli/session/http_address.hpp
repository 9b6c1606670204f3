// The default address of an application in `mayfly http`: a port and a name of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "access/core/url.hpp"
#include "access/system/files.hpp"

namespace mayfly::cli {

// Registered ports (RFC 6335 section 6), below the ports that Linux gives to connections (from
// 32768 on, ip(7)).
inline constexpr std::uint16_t first_http_port = 28000, last_http_port = 29999;

// Returns the application's own name for browsers: its host with "-" as "--" and "." as "-", under
// .localhost ("wiki-example-com.localhost"). It is one label: two names with a common parent below
// .localhost are one site to a browser, and could set cookies for each other. A host that gives no
// valid label (63 bytes, RFC 1035 section 2.3.4) gets one made of its hash.
std::string browser_name(const Url& application);

// Returns "host[:port][/path]", the key of a stored port.
std::string application_key(const Url& application);

struct HttpPort {
  std::string application;  // application_key()
  std::uint16_t port = 0;

  std::string address() const;          // "http://127.0.0.1:PORT/path"
  std::string browser_address() const;  // "http://NAME.localhost:PORT/path"
};

// Returns the ports in the state directory. Throws Error(failed) if the file is not valid.
std::vector<HttpPort> remembered_http_ports(const StateDirectory& state);

// Returns the application's stored port, or chooses, stores and returns one that no other
// application has, under a lock. The choice depends on the application and the user, so that it is
// mostly the same after the file was removed. Without a state directory nothing is stored. Throws
// Error(failed).
HttpPort http_port_of(const StateDirectory& state, const Url& application);

// Removes all ports. Returns whether there were any.
bool forget_http_ports(const StateDirectory& state);

}  // namespace mayfly::cli
