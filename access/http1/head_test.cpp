// Heads against RFC 9112: what it allows is read, what it forbids is refused.
#include "access/http1/head.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace mayfly;
using namespace std::string_literals;

namespace {

RequestHead request(std::string_view text) {
  auto read = read_request_head(text);
  REQUIRE(std::holds_alternative<RequestHead>(read));
  return std::get<RequestHead>(read);
}

// The status that a request is refused with; 0 when it is taken.
int refused(std::string_view text) {
  const auto read = read_request_head(text);
  const auto* malformed = std::get_if<Malformed>(&read);
  return malformed == nullptr ? 0 : malformed->status;
}

}  // namespace

TEST_CASE("a request's head is read") {
  const RequestHead head = request(
      "POST /a/b?c=d%20e HTTP/1.1\r\nHost: app.example\r\nX-Empty:\r\nX-Two:\t one, two \r\n"
      "x-two: three");
  CHECK(head.method == "POST");
  CHECK(head.target == "/a/b?c=d%20e");
  CHECK(head.minor_version == 1);
  CHECK(head.headers.size() == 4);
  CHECK(head.headers.all("X-Two") == std::vector<std::string_view>{"one, two", "three"});
  CHECK(head.headers.all("x-EMPTY") == std::vector<std::string_view>{""});
  CHECK(request("OPTIONS * HTTP/1.0").minor_version == 0);
  CHECK(request("M-SEARCH http://a/ HTTP/1.1").method == "M-SEARCH");
}

TEST_CASE("a malformed request line is refused") {
  for (const char* line :
       {"", "GET", "GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1",
        "G(T / HTTP/1.1", "GET /a b HTTP/1.1", "GET /\xc3\xa9 HTTP/1.1", "GET /\t HTTP/1.1",
        "GET\t/ HTTP/1.1", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1"}) {
    CAPTURE(line);
    CHECK(refused(line) == 400);
  }
  for (const char* line : {"GET / HTTP/2.0", "GET / HTTP/1.2", "GET / http/1.1", "PRI * HTTP/2.0",
                           "GET / HTTP/1.1x"}) {
    CAPTURE(line);
    CHECK(refused(line) == 505);
  }
}

// RFC 9112 sections 2.2 and 5: each of these is read differently by somebody.
TEST_CASE("headers that invite smuggling are refused") {
  const std::string fields[] = {"Host : a",   " Host: a",    "\tfolded",   "A: b\r\n c",
                                ": a",        "no colon",    "A\0B: c"s,   "A: b\0c"s,
                                "A: b\nB: c", "A: b\rB: c",  "A\x7f: b",   "A: b\x01",
                                "A[0]: b",    "\xc3\xa9: b", "A: b\r\n\r", "A:\v"};
  for (const std::string& field : fields) {
    CAPTURE(field);
    CHECK(refused("GET / HTTP/1.1\r\n" + field) == 400);
  }
  CHECK(refused("GET / HTTP/1.1\r\nA: caf\xc3\xa9") == 0);  // obs-text may pass
}

TEST_CASE("a head has a bounded number of headers") {
  std::string text = "GET / HTTP/1.1";
  for (std::size_t i = 0; i < most_fields; ++i) text += "\r\nA: b";
  CHECK(refused(text) == 0);
  CHECK(refused(text + "\r\nA: b") == 431);
}

TEST_CASE("an answer's head is read") {
  const auto read = read_response_head("HTTP/1.1 404 Not here at all\r\nA: b");
  REQUIRE(std::holds_alternative<ResponseHead>(read));
  const auto& head = std::get<ResponseHead>(read);
  CHECK(head.status == 404);
  CHECK(head.reason == "Not here at all");
  CHECK(head.headers == Headers{{"A", "b"}});
  for (const char* text : {"HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.0 299 OK"})
    CHECK(std::holds_alternative<ResponseHead>(read_response_head(text)));
  for (const char* text :
       {"", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/2 200 OK", "HTTP/1.1 099 No",
        "HTTP/1.1\t200 OK", "ICY 200 OK", "HTTP/1.1 200 OK\r\n folded", "HTTP/1.1 200 a\x01"}) {
    CAPTURE(text);
    CHECK(std::holds_alternative<Malformed>(read_response_head(text)));
  }
}

TEST_CASE("a head ends with an empty line") {
  CHECK_FALSE(find_head_end("GET / HTTP/1.1\r\nA: b\r\n"));
  const auto end = find_head_end("GET / HTTP/1.1\r\n\r\nbody");
  REQUIRE(end);
  CHECK(end->head == 14);
  CHECK(end->all == 18);
  CHECK_FALSE(find_head_end("GET / HTTP/1.1\n\n"));
}

namespace {

// Feeds the text in pieces and reads one head after the other, up to the final one.
ResponseReader::Next read_in_pieces(ResponseReader& reader, std::string_view text,
                                    std::size_t size) {
  for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) {
    reader.feed(text.substr(0, size));
    for (;;) {
      auto next = reader.next();
      if (std::holds_alternative<std::monostate>(next)) break;
      const auto* head = std::get_if<ResponseHead>(&next);
      if (head == nullptr || is_final(*head)) return next;
    }
  }
  return {};
}

bool is_refused(std::string_view text, std::size_t size) {
  ResponseReader reader;
  return std::holds_alternative<Malformed>(read_in_pieces(reader, text, size));
}

}  // namespace

TEST_CASE("an answer is read whole and byte by byte, without what follows it") {
  const std::string stream =
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x82\x01x";
  ResponseReader whole;
  const auto next = read_in_pieces(whole, stream, stream.size());
  REQUIRE(std::holds_alternative<ResponseHead>(next));
  CHECK(std::get<ResponseHead>(next).headers == Headers{{"Upgrade", "websocket"}});
  CHECK(whole.take_rest() == "\x82\x01x");

  ResponseReader slow;
  CHECK(std::holds_alternative<ResponseHead>(read_in_pieces(slow, stream, 1)));
  CHECK(slow.take_rest().empty());
}

TEST_CASE("text that is not HTTP/1.1 is refused at once") {
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
    CHECK(is_refused(text, text.size()));
    CHECK(is_refused(text, 4096));
  }
  std::string interim_without_end;
  for (int i = 0; i < 10'000; ++i) interim_without_end += "HTTP/1.1 100 Continue\r\n\r\n";
  CHECK(is_refused(interim_without_end, 4096));
}
