// The WebSocket opening handshake as HTTP/1.1 text (RFC 6455 section 4, RFC 9112), without I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "access/core/url.hpp"
#include "access/http1/headers.hpp"

namespace mayfly {

struct UpgradeRequest {
  Url url;
  Headers headers;  // a User-Agent among them replaces user_agent
  std::string user_agent;
  std::string key;  // websocket::make_key()
};

// Returns the request's head. Throws Error(usage) for a URL on a path of Access (access_path.hpp),
// for a malformed header, and for one that the handshake sets itself (Host, Upgrade, Connection,
// Sec-WebSocket-*, ...).
std::string upgrade_text(const UpgradeRequest& request);

// Returns why a 101 with these headers does not answer the request with this key, or nullopt if it
// does.
std::optional<std::string> upgrade_problem(const Headers& answer, std::string_view key);

}  // namespace mayfly
