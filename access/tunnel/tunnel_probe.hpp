// Opens a tunnel step by step, for `mayfly doctor`: connection, handshake, upgrade, and the first
// bytes of the origin.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/dial/tunnel_options.hpp"
#include "access/pump/traffic.hpp"
#include "access/tls/handshake.hpp"

namespace mayfly {

struct ProbedTls {
  std::optional<Error> failure;                 // nullopt: the handshake succeeded
  std::string version;                          // such as "TLSv1.3"; may be "" after a failure
  std::string group = {};                       // of the key exchange; "" if it is not known
  std::optional<CertificateFacts> server = {};  // nullopt if the server showed no certificate
  CertificateRequest request = {};
  bool has_wrong_dates = false;  // the failure: by our clock, a certificate is not valid now
};

// The first bytes of the origin.
struct Heard {
  std::string text;              // unchanged, not printable
  std::optional<Ending> ending;  // if the tunnel ended meanwhile
};

// Each step blocks, at most as long as the options say, and throws Error(failed) at a signal.
class TunnelProbe {
 public:
  // Throws Error(usage) if the trusted certificates cannot be read.
  explicit TunnelProbe(TunnelOptions options);
  ~TunnelProbe();
  TunnelProbe(const TunnelProbe&) = delete;
  TunnelProbe& operator=(const TunnelProbe&) = delete;

  // Connects, perhaps through a proxy, and closes the connection. Throws Error(network).
  void connect();

  // Shakes hands on a connection of its own. Throws Error(network) if it cannot connect.
  ProbedTls shake_hands();

  // Returns the answer to the upgrade; after 101 the tunnel is open. Throws as Dialer::dial() does.
  Response upgrade(Headers headers, const MaySend& may_send);

  // Reads from the open tunnel until a line begins with line_begins, the tunnel ends, or patience
  // is over. Then closes the tunnel.
  Heard hear(std::string_view line_begins, std::chrono::milliseconds patience);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mayfly
