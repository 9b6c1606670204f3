#include "access/dial/upgrade.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "access/core/access_path.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/websocket/websocket.hpp"

namespace mayfly {
namespace {

constexpr auto reserved_headers =
    std::to_array<std::string_view>({"host", "upgrade", "connection", "content-length",
                                     "transfer-encoding", "te", "trailer", "expect"});

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
  for (const Header& header : request.headers) {
    header_line(header);  // for its checks
    refuse_reserved(header.name);
    text += fmt::format("{}: {}\r\n", header.name, trim(header.value));
  }
  if (!request.user_agent.empty() && !request.headers.contains("User-Agent"))
    text += fmt::format("User-Agent: {}\r\n", request.user_agent);
  return text + "\r\n";
}

// RFC 6455 section 4.1, the client's checks 2 to 6.
std::optional<std::string> upgrade_problem(const Headers& answer, std::string_view key) {
  if (!equals_ignoring_case(answer.find("Upgrade"), "websocket"))
    return "it does not say \"Upgrade: websocket\"";
  if (!answer.lists("Connection", "upgrade")) return "it does not say \"Connection: Upgrade\"";
  if (answer.all("Sec-WebSocket-Accept").size() != 1 ||
      answer.find("Sec-WebSocket-Accept") != websocket::accept_for(key))
    return "its Sec-WebSocket-Accept does not belong to our key";
  if (answer.contains("Sec-WebSocket-Extensions"))
    return "it uses an extension that was not asked for";
  if (answer.contains("Sec-WebSocket-Protocol"))
    return "it uses a subprotocol that was not asked for";
  return std::nullopt;
}

}  // namespace mayfly
