// Dials an application: from a URL and credential headers to an open WebSocket, or to the answer
// that came instead.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/dial/tunnel_options.hpp"
#include "access/tls/tls.hpp"

namespace mayfly {

// Dials one edge any number of times. Keeps trust, TLS session and addresses in between.
class Dialer {
 public:
  // options outlive the dialer, and the dialer its connections. Throws Error(usage) if the trusted
  // certificates cannot be read.
  Dialer(const TunnelOptions& options, TlsContext::Buffers buffers);

  struct Open {
    std::unique_ptr<TlsStream> stream;
    std::string early;  // what followed the 101
    std::string ray;    // the 101's cf-ray, printable
    Response answer;    // the 101
  };
  // A Response is any answer but a right 101, with the beginning of its body.
  using Outcome = std::variant<Open, Response>;

  // Throws Error: network (is_timeout() if a deadline passed) when no answer came, protocol when it
  // is no HTTP, refused for the client certificate, usage for a header that cannot be sent,
  // login_needed if the headers may no longer be sent once there is a connection. Runs in the loop
  // of the coroutine. may_send outlives it.
  asio::awaitable<Outcome> dial(Headers authorization, const MaySend& may_send = may_always_send);

  // Connects, directly or through the proxy, and does no more. Throws like dial().
  asio::awaitable<std::unique_ptr<Wire>> connect();

  // Returns a TLS connection without a request on it yet. Throws like dial().
  asio::awaitable<std::unique_ptr<TlsStream>> connect_securely();

  // Like connect_securely(), but also returns the stream of a failed handshake: its report tells
  // more than the Error.
  struct Secured {
    std::unique_ptr<TlsStream> stream;
    std::exception_ptr failure;  // an Error, or null
  };
  asio::awaitable<Secured> secure();

 private:
  asio::awaitable<std::unique_ptr<Wire>> connect(class DialLog& story);
  asio::awaitable<std::vector<asio::ip::tcp::endpoint>> endpoints(class Deadline& deadline,
                                                                  DialLog& story);

  const TunnelOptions& options_;
  TlsContext tls_;
  std::vector<asio::ip::tcp::endpoint> looked_up_;
  std::chrono::steady_clock::time_point looked_up_at_;
};

}  // namespace mayfly
