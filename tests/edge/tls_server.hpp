// The TLS side of the listener: certificates by SNI, client certificates, tickets, TLS faults.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "edge.hpp"

namespace edge {

// What to do with a connection as of its ClientHello.
enum class Hello { go_on, reset, stall };

struct TlsState {
  Hello hello = Hello::go_on;
  std::string sni;
};

class TlsServer {
 public:
  explicit TlsServer(Edge& edge);

  // A connection in accept state on that socket; `state` has to live as long as it does.
  Connection accept(int descriptor, TlsState& state);

 private:
  struct Trust {
    Store store;
    std::vector<Certificate> authorities;
  };

  static int on_hello(SSL* ssl, int* alert, void* self);
  void prepare(SSL* ssl, TlsState& state);
  void request_certificate(SSL* ssl, const std::string& pem);
  const Trust& trust(const std::string& pem);

  Edge& edge_;
  Context context_;
  std::map<std::string, Trust> trusts_;  // by PEM text
};

// What is known about the client once the handshake is done; `connection` is left alone.
void describe_peer(SSL* ssl, const TlsState& state, Peer& peer);

}  // namespace edge
