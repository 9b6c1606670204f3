// The options of a tunnel: its target, the source of its credential headers, its timeouts.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "access/answer/login.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/pump/observed_end.hpp"
#include "access/pump/traffic.hpp"
#include "access/tls/connection_options.hpp"

namespace mayfly {

// Returns whether these headers may be sent now. It is called as late as possible, since a logout
// may happen while the connection is made.
using MaySend = std::function<bool(const Headers&)>;
inline const MaySend may_always_send = [](const Headers&) { return true; };

// The source of the credential headers (Cf-Access-Token and the like).
struct Authorization {
  enum class Why { nothing_known, refused, starting };
  // Returns the headers without network, or nullopt if obtain() has to be called first.
  std::function<std::optional<Headers>()> known;
  // Obtains headers, perhaps by a login that takes minutes. refused: the edge wants a login in
  // spite of the last headers. starting: a listener wants to know whether it will work; the edge is
  // asked whether it accepts the headers, and no person is asked. A listener calls it in a forked
  // child, so that its other connections go on; the result is stored on disk.
  std::function<Headers(Why)> obtain;
  // Returns whether headers from known() or obtain() may still be sent: not after a logout
  // (mayfly-logout(1)). Uses no network.
  MaySend may_send = may_always_send;
  // Uses no network.
  TeamOf team = team_unknown;
};

struct TunnelOptions {
  Url url;
  Headers headers;  // the user's own, and Cf-Access-Jump-Destination
  ConnectionOptions connection;
  std::chrono::milliseconds handshake_timeout = std::chrono::seconds(15);  // TLS and upgrade
  std::chrono::milliseconds ping_interval =
      std::chrono::seconds(30);  // 0: no pings; dead after two unanswered
  std::chrono::milliseconds linger = std::chrono::seconds(5);  // see PumpOptions
  TellTraffic report = {};             // called at SIGUSR1, after catch_report_signal()
  PayloadObserver observer = nullptr;  // may be empty
};

}  // namespace mayfly
