#include "access/dial/upgrade.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <utility>

#include "access/core/access_path.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/http1/head.hpp"
#include "access/websocket/websocket.hpp"

namespace mayfly {
namespace {

constexpr auto reserved_headers =
    std::to_array<std::string_view>({"host", "upgrade", "connection", "content-length",
                                     "transfer-encoding", "te", "trailer", "expect"});

[[noreturn]] void not_http(std::string_view why) {
  throw Error(ErrorKind::protocol, fmt::format("the answer is not HTTP/1.1: {}", why),
              "something other than Cloudflare's edge answers at this host and port");
}

void refuse_reserved(const std::string& name) {
  const std::string lower = to_lower(name);
  if (std::ranges::find(reserved_headers, lower) == reserved_headers.end() &&
      !lower.starts_with("sec-websocket-"))
    return;
  throw Error(ErrorKind::usage, fmt::format("the header {} cannot be set for a tunnel", name),
              "the WebSocket handshake sets it by itself");
}

}  // namespace

std::string upgrade_text(const UpgradeRequest& request) {
  const Url& url = request.url;
  refuse_path_of_access(url);
  std::string text = fmt::format(
      "GET {}{}{} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\n",
      url.path.empty() ? "/" : url.path, url.query.empty() ? "" : "?", url.query, url.authority(),
      request.key);
  bool has_user_agent = request.user_agent.empty();
  for (const Header& header : request.headers) {
    header_line(header);  // for its checks
    refuse_reserved(header.first);
    has_user_agent = has_user_agent || equals_ignoring_case(header.first, "User-Agent");
    text += fmt::format("{}: {}\r\n", header.first, trim(header.second));
  }
  if (!has_user_agent) text += fmt::format("User-Agent: {}\r\n", request.user_agent);
  return text + "\r\n";
}

// RFC 6455 section 4.1, the client's checks 2 to 6.
std::optional<std::string> upgrade_problem(const Response& response, std::string_view key) {
  if (!equals_ignoring_case(response.header("Upgrade"), "websocket"))
    return "it does not say \"Upgrade: websocket\"";
  if (!lists_token(response.header("Connection"), "upgrade"))
    return "it does not say \"Connection: Upgrade\"";
  if (values_of(response.headers, "Sec-WebSocket-Accept").size() != 1 ||
      response.header("Sec-WebSocket-Accept") != websocket::accept_for(key))
    return "its Sec-WebSocket-Accept does not belong to our key";
  if (!values_of(response.headers, "Sec-WebSocket-Extensions").empty())
    return "it uses an extension that was not asked for";
  if (!values_of(response.headers, "Sec-WebSocket-Protocol").empty())
    return "it uses a subprotocol that was not asked for";
  return std::nullopt;
}

bool ResponseReader::feed(std::span<const std::byte> bytes) {
  text_.append(std::bit_cast<const char*>(bytes.data()), bytes.size());
  while (read_head()) {
    if (response_.status == 101 || response_.status >= 200) return true;
    response_ = {};
  }
  return false;
}

// True when one head was taken off the front of text_.
bool ResponseReader::read_head() {
  if (!text_.empty() && text_.front() != 'H') not_http("it begins with something else");
  const std::size_t end = text_.find("\r\n\r\n", searched_);
  if (end == std::string::npos) {
    if (head_bytes_ + text_.size() > max_head) not_http("its head is too long");
    searched_ = text_.size() < 3 ? 0 : text_.size() - 3;
    return false;
  }
  head_bytes_ += end + 4;
  if (head_bytes_ > max_head) not_http("its head is too long");
  std::string_view head(text_.data(), end);
  bool first = true;
  while (!head.empty()) {
    const std::size_t line_end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, line_end);
    first ? read_status(line) : read_header(line);
    first = false;
    head.remove_prefix(std::min(line_end + 2, head.size()));
  }
  text_.erase(0, end + 4);
  searched_ = 0;
  return true;
}

// "HTTP/1.1 101 Switching Protocols" (RFC 9112 section 4).
void ResponseReader::read_status(std::string_view line) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ' ||
      (line.size() > 12 && line[12] != ' ') || !is_field_value(line))
    not_http("its status line is malformed");
  const auto [end, error] = std::from_chars(line.data() + 9, line.data() + 12, response_.status);
  if (error != std::errc() || end != line.data() + 12 || response_.status < 100)
    not_http("its status is malformed");
  if (response_.status == 101 && line[7] != '1') not_http("it switches protocols in HTTP/1.0");
}

void ResponseReader::read_header(std::string_view line) {
  auto field = read_field(line);
  if (!field) not_http("a header is malformed");
  response_.headers.push_back(std::move(*field));
}

bool body_is_whole(const Response& response, std::string_view body) {
  if (response.status == 204 || response.status == 304) return true;
  if (lists_token(response.header("Transfer-Encoding"), "chunked"))
    return body == "0\r\n\r\n" || body.ends_with("\r\n0\r\n\r\n");
  const std::string_view text = response.header("Content-Length");
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  return !text.empty() && error == std::errc() && end == text.data() + text.size() &&
         body.size() >= length;
}

}  // namespace mayfly
