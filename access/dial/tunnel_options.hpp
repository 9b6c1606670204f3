// What a tunnel is asked for with: where to, what opens the application, how long to wait.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/pump/payload_observer.hpp"
#include "access/pump/traffic.hpp"
#include "access/tls/connection_options.hpp"

namespace mayfly {

// Whether these headers may be sent now. It is asked as late as possible, since a connection takes
// its time.
using MaySend = std::function<bool(const Headers&)>;
inline const MaySend may_always_send = [](const Headers&) { return true; };

// Where the headers that open the application come from (Cf-Access-Token and the like).
struct Authorization {
  enum class Why { nothing_known, refused };
  // Without network; nothing when obtain() has to be called first.
  std::function<std::optional<Headers>()> known;
  // May block for minutes (browser). refused: the edge sent the last ones to the login page. A
  // listener runs it in a forked child, so that its other connections go on; whatever it learns it
  // leaves on disk.
  std::function<Headers(Why)> obtain;
  // Whether these headers, which known() or obtain() returned, may still be sent: not after a
  // logout (mayfly-logout(1)). Without network.
  MaySend may_send = may_always_send;
  // The host of the application's login page, "" when it is not known. Without network.
  std::function<std::string()> team = [] { return std::string(); };
};

struct TunnelOptions {
  Url url;
  Headers headers;  // the user's own, and Cf-Access-Jump-Destination
  ConnectionOptions connection;
  std::chrono::milliseconds handshake_timeout = std::chrono::seconds(15);  // TLS and upgrade
  std::chrono::milliseconds ping_interval =
      std::chrono::seconds(30);  // 0: no pings; dead after two unanswered
  std::chrono::milliseconds drain =
      std::chrono::seconds(30);  // how long to go on delivering after local EOF without a byte
  TellTraffic report = {};       // what SIGUSR1 asks for; none of it without catch_report_signal()
  PayloadObserver observer = nullptr;  // none: nobody looks
};

}  // namespace mayfly
