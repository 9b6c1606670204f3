// A protocol that local programs speak before their bytes go through a tunnel, such as SOCKS5.
#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/listen/admission.hpp"
#include "access/listen/listener.hpp"

namespace mayfly {

// Why there is no tunnel for a local connection.
struct TunnelRefusal {
  Error error;
  int status = 0;  // of the edge's answer, or 0 if there was none
};

class LocalProtocol {
 public:
  virtual ~LocalProtocol() = default;

  struct Destination {
    std::string name;  // for messages; printable
    Headers headers;   // that name the destination in the upgrade
  };
  // Returns the destination that the local program asks for, or nullopt if it ends the connection
  // without a request. The guest is half-open meanwhile. Throws Error for anything else, after it
  // has answered the local program.
  virtual asio::awaitable<std::optional<Destination>> hear(int socket, Admission::Guest& guest) = 0;
  // Tells the local program that the tunnel is open.
  virtual asio::awaitable<void> grant(int socket) = 0;
  // Tells the local program that there is no tunnel.
  virtual asio::awaitable<void> deny(int socket, const TunnelRefusal& refusal) = 0;
};

// Like run_listener(). protocol: nullptr if all bytes of a connection belong to its tunnel.
void serve_tunnels(const ListenerOptions& options, const Authorization& authorization,
                   LocalProtocol* protocol);

}  // namespace mayfly
