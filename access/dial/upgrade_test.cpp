// The opening handshake's texts: what is sent, and what is taken for an answer.
#include "access/dial/upgrade.hpp"

#include <doctest/doctest.h>

#include "access/core/error.hpp"

using namespace mayfly;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 section 1.3
const std::string good =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

Response read_all(std::string_view text) {
  ResponseReader reader;
  REQUIRE(reader.feed(bytes_of(text)));
  return reader.take_response();
}

}  // namespace

TEST_CASE("the request") {
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

TEST_CASE("a right answer, whole and byte by byte, and what follows it") {
  const std::string stream = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + good + "\x82\x01x";
  ResponseReader whole;
  CHECK(whole.feed(bytes_of(stream)));
  CHECK(whole.take_rest() == "\x82\x01x");
  CHECK_FALSE(upgrade_problem(whole.take_response(), key));

  ResponseReader slow;
  std::size_t fed = 0;
  while (!slow.feed(bytes_of(std::string_view(stream).substr(fed, 1)))) ++fed;
  CHECK(fed == stream.size() - 4);
  CHECK_FALSE(upgrade_problem(slow.take_response(), key));
}

TEST_CASE("a 101 that does not belong to our request") {
  const auto with = [](std::string from, std::string to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return upgrade_problem(read_all(text), key).value_or("");
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

TEST_CASE("what is not HTTP/1.1 is not waited for") {
  const std::string cases[] = {
      "SSH-2.0-OpenSSH_9.2\r\n",
      "\x15\x03",
      "HTTP/2 200\r\n\r\n",
      "HTTP/1.1 20\r\n\r\n",
      "HTTP/1.1 2000 x\r\n\r\n",
      "HTTP/1.1 099 x\r\n\r\n",
      "HTTP/1.1 +20 x\r\n\r\n",
      "HTTP/1.0 101 x\r\n\r\n",
      "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
      "HTTP/1.1 200 OK\r\n: empty\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX : space\r\n\r\n",
      "HTTP/1.1 200 OK\r\n folded\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: a\nb\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: " + std::string("\0", 1) + "\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: " + std::string(70000, 'x'),
      "HTTP/1.1 200 OK\r\nX: " + std::string(70000, 'x') + "\r\n\r\n",
  };
  for (const std::string& text : cases) {
    CAPTURE(text.substr(0, 60));
    ResponseReader reader;
    CHECK_THROWS_AS(reader.feed(bytes_of(text)), Error);
  }
  // Interim answers without end are bounded too.
  ResponseReader reader;
  CHECK_THROWS_AS(
      [&] {
        for (int i = 0; i < 10'000; ++i) reader.feed(bytes_of("HTTP/1.1 100 Continue\r\n\r\n"));
      }(),
      Error);
}

TEST_CASE("the end of a body") {
  const auto whole = [](const std::string& headers, std::string_view body) {
    return body_is_whole(read_all("HTTP/1.1 403 Forbidden\r\n" + headers + "\r\n"), body);
  };
  CHECK(whole("Content-Length: 3\r\n", "abc"));
  CHECK_FALSE(whole("Content-Length: 3\r\n", "ab"));
  CHECK_FALSE(whole("Content-Length: 3x\r\n", "abc"));
  CHECK(whole("Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n\r\n"));
  CHECK_FALSE(whole("Transfer-Encoding: chunked\r\n", "1\r\na\r\n"));
  CHECK_FALSE(whole("", "abc"));
  CHECK(body_is_whole(read_all("HTTP/1.1 204 No Content\r\n\r\n"), ""));
}
