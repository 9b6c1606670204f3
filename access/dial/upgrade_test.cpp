// The opening handshake's texts: what is sent, and what is taken for an answer.
#include "access/dial/upgrade.hpp"

#include <doctest/doctest.h>

#include "access/core/error.hpp"
#include "access/http1/head.hpp"

using namespace mayfly;

namespace {

const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 section 1.3
const std::string good =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

Headers headers_of(std::string_view answer) {
  const auto read = read_response_head(answer.substr(0, find_head_end(answer).value().head));
  return std::get<ResponseHead>(read).headers;
}

}  // namespace

TEST_CASE("the upgrade's request has the headers of RFC 6455") {
  const Url url{.host = "vm.example.com", .port = 8443, .path = "/a", .query = "b=c"};
  CHECK(upgrade_text({.url = url,
                      .headers = {{"Cf-Access-Token", "t"}, {"X", "  y "}},
                      .user_agent = "mayfly/1",
                      .key = key}) ==
        "GET /a?b=c HTTP/1.1\r\nHost: vm.example.com:8443\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: " +
            key +
            "\r\nSec-WebSocket-Version: 13\r\nCf-Access-Token: t\r\nX: y\r\n"
            "User-Agent: mayfly/1\r\n\r\n");
  const std::string own = upgrade_text({.url = {.host = "h", .port = 443, .path = "", .query = ""},
                                        .headers = {{"user-agent", "mine"}},
                                        .user_agent = "mayfly/1",
                                        .key = key});
  CHECK(own.starts_with("GET / HTTP/1.1\r\nHost: h\r\n"));
  CHECK(own.find("mayfly/1") == std::string::npos);
}

TEST_CASE("headers that would break the request are refused") {
  const Headers cases = {
      {"X", "a\r\nEvil: 1"},
      {"X\r\nEvil", "1"},
      {"X", std::string("\0", 1)},
      {"X:", "1"},
      {"", "1"},
      {"Host", "other.example"},
      {"hOST", "x"},
      {"Upgrade", "h2c"},
      {"Connection", "close"},
      {"Content-Length", "5"},
      {"Transfer-Encoding", "chunked"},
      {"Sec-WebSocket-Extensions", "permessage-deflate"},
  };
  for (const Header& header : cases) {
    CAPTURE(header.name);
    CHECK_THROWS_AS(upgrade_text({.url = {.host = "h", .port = 443, .path = "", .query = ""},
                                  .headers = {header},
                                  .user_agent = "",
                                  .key = key}),
                    Error);
  }
}

TEST_CASE("a 101 that does not belong to our request") {
  const auto with = [](std::string from, std::string to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return upgrade_problem(headers_of(text), key).value_or("");
  };
  CHECK(with("websocket\r", "h2c\r") == "it does not say \"Upgrade: websocket\"");
  CHECK(with("Connection: Upgrade", "Connection: close") ==
        "it does not say \"Connection: Upgrade\"");
  CHECK(with("Connection: Upgrade", "connection: keep-alive, UPGRADE") == "");
  CHECK(with("s3pP", "S3pP") == "its Sec-WebSocket-Accept does not belong to our key");
  CHECK(with("Sec-WebSocket-Accept", "X") == "its Sec-WebSocket-Accept does not belong to our key");
  CHECK(with("Upgrade: websocket", "Upgrade: websocket\r\nSec-WebSocket-Accept: x") ==
        "its Sec-WebSocket-Accept does not belong to our key");
  CHECK(with("Upgrade: websocket", "Upgrade: websocket\r\nSec-WebSocket-Extensions: x") ==
        "it uses an extension that was not asked for");
  CHECK(with("Upgrade: websocket", "Upgrade: websocket\r\nSec-WebSocket-Protocol: x") ==
        "it uses a subprotocol that was not asked for");
}
