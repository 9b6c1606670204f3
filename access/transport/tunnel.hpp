// A tunnel: WebSocket over TLS to an application, and the bytes of one local connection through it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "access/core/url.hpp"
#include "access/transport/connection_options.hpp"
#include "access/transport/http.hpp"
#include "access/transport/payload_observer.hpp"
#include "access/transport/traffic.hpp"

namespace mayfly {

// Where the headers that open the application come from (Cf-Access-Token and the like).
struct Authorization {
  enum class Why { nothing_known, refused };
  // Without network; nothing when obtain() has to be called first.
  std::function<std::optional<std::vector<Header>>()> known;
  // May block for minutes (browser). refused: the edge sent the last ones to the login page. A
  // listener runs it in a forked child, so that its other connections go on; whatever it learns it
  // leaves on disk.
  std::function<std::vector<Header>(Why)> obtain;
};

struct TunnelOptions {
  Url url;
  std::vector<Header> headers;  // the user's own, and Cf-Access-Jump-Destination
  ConnectionOptions connection;
  std::chrono::milliseconds handshake_timeout = std::chrono::seconds(15);  // TLS and upgrade
  std::chrono::milliseconds ping_interval =
      std::chrono::seconds(30);  // 0: no pings; dead after two unanswered
  std::chrono::milliseconds drain =
      std::chrono::seconds(30);  // how long to go on delivering after local EOF without a byte
  TellTraffic report = {};       // what SIGUSR1 asks for; none of it without catch_report_signal()
  PayloadObserver observer = nullptr;  // none: nobody looks
};

// How a tunnel ended, and what it carried.
struct Ending : Traffic {
  enum class How {
    closed,       // Close 1000 or 1001, or end of stream on both sides
    interrupted,  // by our own signal or a local reader that went away
    cut,          // the connection broke, timed out or was closed with another code
    violation,    // the peer broke the protocol
  } how = How::closed;
  std::uint16_t close_code = 1006;  // the peer's, RFC 6455 section 7.1.5
  std::string reason;               // of the peer's Close, or what broke; printable
  std::string ray;                  // cf-ray of the upgrade's answer; printable
};

// The product of `mayfly access ssh`: stdin and stdout are the wire. Blocks until the end. Throws
// Error when no tunnel came about (see refusal.hpp for what a refused upgrade means). opened:
// called when it has come about; all that happens from then on is bytes moving between descriptors
// that are open.
Ending run_stdio_tunnel(
    const TunnelOptions& options, const Authorization& authorization,
    const std::function<void()>& opened = [] {});

}  // namespace mayfly
