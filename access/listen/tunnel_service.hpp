// From an accepted socket to a tunnel that carries its bytes.
#pragma once

#include <asio/awaitable.hpp>
#include <variant>
#include <vector>

#include "access/dial/dial.hpp"
#include "access/listen/authorizer.hpp"
#include "access/listen/listener.hpp"
#include "access/listen/local_protocol.hpp"
#include "access/listen/local_server.hpp"
#include "access/pump/buffers.hpp"
#include "access/system/descriptor.hpp"

namespace mayfly {

class TunnelService {
 public:
  struct Parts {
    const ListenerOptions& options;
    Authorizer& authorizer;
    Dialer& dialer;
    BufferPool& buffers;
    LocalServer& server;
    LocalProtocol* protocol;  // none: the bytes are the tunnel's from the first on
  };
  // All of them outlive it.
  explicit TunnelService(const Parts& parts) : parts_(parts) {}

  // For LocalServer::run().
  asio::awaitable<void> serve(Descriptor socket, LocalServer::Guest guest);

 private:
  using Opened = std::variant<Dialer::Open, LocalProtocol::Refusal>;
  asio::awaitable<void> serve_by_protocol(Descriptor socket, LocalServer::Guest guest);
  asio::awaitable<Opened> open(const Headers& wanted);
  asio::awaitable<Dialer::Outcome> dial(const Headers& wanted);
  struct Accepted;
  void carry(Accepted accepted, Dialer::Open open, std::string name);

  Parts parts_;
};

// Until a signal. protocol may be null.
void serve_tunnels(const ListenerOptions& options, const Authorization& authorization,
                   LocalProtocol* protocol);

}  // namespace mayfly
