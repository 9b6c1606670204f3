// The address that `mayfly http` gives an application by default: a port and a name of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "access/core/url.hpp"
#include "access/system/files.hpp"

namespace mayfly::cli {

// Ports for applications: registered ones (RFC 6335 section 6), below those that Linux gives to
// connections (32768 and up, ip(7)).
inline constexpr std::uint16_t first_http_port = 28000, last_http_port = 29999;

// Returns the application's own name for browsers: its host with "-" as "--" and "." as "-", under
// .localhost ("wiki-example-com.localhost"). One label, since two names below one parent other
// than "localhost" would be one site to a browser, and could set cookies for each other. A host
// that gives no such label (63 bytes, RFC 1035 section 2.3.4) gets one made of its hash.
std::string browser_name(const Url& application);

// "host[:port][/path]", as ports are remembered for it.
std::string application_key(const Url& application);

struct HttpPort {
  std::string application;  // application_key()
  std::uint16_t port = 0;

  std::string address() const;          // "http://127.0.0.1:PORT/path"
  std::string browser_address() const;  // "http://NAME.localhost:PORT/path"
};

// Returns the ports that are remembered in the state directory. Throws Error(failed) if the file
// says what no version of mayfly wrote.
std::vector<HttpPort> remembered_http_ports(const StateDirectory& state);

// Returns the application's port: the remembered one, or a new one that is remembered from then on
// and that no other application has. Of a new one the application and the user decide, so that it
// is mostly the same after the file is gone. Two processes do not choose at the same time. Where
// there is no state directory, nothing is remembered. Throws Error(failed).
HttpPort http_port_of(const StateDirectory& state, const Url& application);

// Forgets all of them. Returns whether there were any.
bool forget_http_ports(const StateDirectory& state);

}  // namespace mayfly::cli
