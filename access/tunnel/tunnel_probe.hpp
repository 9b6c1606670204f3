// A tunnel opened one step at a time: handshake, upgrade, the first that the origin says.
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
#include "access/pump/ending.hpp"
#include "access/tls/handshake.hpp"

namespace mayfly {

struct ProbedTls {
  std::optional<Error> failure;                 // nothing: trusted
  std::string version;                          // "TLSv1.3"; of what failed, perhaps ""
  std::optional<CertificateFacts> server = {};  // nothing when it did not come to that
  CertificateRequest request = {};              // what the edge asked of a client certificate
  bool has_wrong_dates = false;  // what failed: by our clock it is not the time for it
};

// What came from the origin, as it came.
struct Heard {
  std::string text;
  std::optional<Ending> ending;  // how the tunnel ended by itself, when it did
};

// Each step blocks, for as long as the options say at most. All throw Error(failed) at a signal.
class TunnelProbe {
 public:
  // Throws Error(usage) for trusted certificates that cannot be read.
  explicit TunnelProbe(TunnelOptions options);
  ~TunnelProbe();
  TunnelProbe(const TunnelProbe&) = delete;
  TunnelProbe& operator=(const TunnelProbe&) = delete;

  // A connection and nothing more, through the proxy if that is how it goes. Throws Error(network).
  void connect();

  // On a connection of its own. Throws Error(network) when there is none.
  ProbedTls shake_hands();

  // The answer to the upgrade; 101: the tunnel is open. Throws as Dialer::dial() does.
  Response upgrade(Headers headers);

  // Listens to the open tunnel until a line begins so, until it ends, or as long as patience lasts;
  // closes it then.
  Heard hear(std::string_view line_begins, std::chrono::milliseconds patience);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mayfly
