// The WebSocket opening handshake as HTTP/1.1 text (RFC 6455 section 4, RFC 9112), without I/O.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/core/url.hpp"
#include "access/curl/http.hpp"

namespace mayfly {

struct UpgradeRequest {
  Url url;
  Headers headers;  // a User-Agent among them replaces user_agent
  std::string user_agent;
  std::string key;  // websocket::make_key()
};

// Throws Error(usage) for a URL on a path of Access (access_path.hpp), a header that is none, or
// that the handshake must set itself (Host, Upgrade, Connection, Sec-WebSocket-*, ...).
std::string upgrade_text(const UpgradeRequest& request);

// Why a 101 is not the answer to this key; nothing when it is.
std::optional<std::string> upgrade_problem(const Response& response, std::string_view key);

// Reads an answer's head as it arrives; strict and bounded.
class ResponseReader {
 public:
  static constexpr std::size_t max_head = std::size_t{64} * 1024;

  // Takes bytes; true once the head is whole. Interim answers (100, 103) are passed over. Throws
  // Error(protocol) for what is not HTTP/1.1.
  bool feed(std::span<const std::byte> bytes);

  Response take_response() { return std::move(response_); }
  // What came after the head.
  std::string take_rest() { return std::move(text_); }

 private:
  bool read_head();
  void read_status(std::string_view line);
  void read_header(std::string_view line);

  std::string text_;
  std::size_t searched_ = 0;
  std::size_t head_bytes_ = 0;
  Response response_;
};

// Whether `body` is all that will come, by Content-Length or the last chunk; false also when only
// the end of the connection can tell.
bool body_is_whole(const Response& response, std::string_view body);

}  // namespace mayfly
