// Where bodies end, by RFC 9112 section 6: whole, and cut at every byte.
#include "access/http1/body.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace mayfly;
using Kind = BodyFraming::Kind;
using namespace std::string_literals;

namespace {

std::string text_of(const std::variant<BodyFraming, Malformed>& framing) {
  if (const auto* malformed = std::get_if<Malformed>(&framing))
    return "refused " + std::to_string(malformed->status);
  const auto& body = std::get<BodyFraming>(framing);
  constexpr const char* kinds[] = {"none", "length", "chunked", "until close"};
  const std::string kind = kinds[static_cast<int>(body.kind)];
  return body.kind == Kind::length ? kind + " " + std::to_string(body.length) : kind;
}

std::string request_framing(Headers headers, int minor_version = 1) {
  return text_of(framing_of(RequestHead{"POST", "/", minor_version, std::move(headers)}));
}

std::string answer_framing(int status, Headers headers, std::string_view method = "GET") {
  return text_of(framing_of(ResponseHead{1, status, "", std::move(headers)}, method));
}

// What a chunked body of pieces of that size comes to: "data|rest" or "malformed".
std::string decoded(std::string_view text, std::size_t piece) {
  BodyScanner scanner({Kind::chunked, 0});
  std::string data;
  while (!text.empty() && !scanner.over() && !scanner.malformed()) {
    std::string_view bytes = text.substr(0, piece);
    for (BodyScanner::Part part; (part = scanner.next(bytes)).size > 0;) {
      if (part.sort == BodyScanner::Part::Sort::data) data += bytes.substr(0, part.size);
      bytes.remove_prefix(part.size);
      text.remove_prefix(part.size);
    }
  }
  if (scanner.malformed()) return "malformed";
  return scanner.over() ? data + "|" + std::string(text) : "more";
}

}  // namespace

TEST_CASE("a request has a body when its headers say so, in one way only") {
  CHECK(request_framing({}) == "none");
  CHECK(request_framing({{"Content-Length", "0"}}) == "none");
  CHECK(request_framing({{"content-length", "12"}}) == "length 12");
  CHECK(request_framing({{"Content-Length", "9223372036854775807"}}) ==
        "length 9223372036854775807");
  CHECK(request_framing({{"Transfer-Encoding", "Chunked"}}) == "chunked");
  CHECK(request_framing({{"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}}) ==
        "refused 400");
  CHECK(request_framing({{"Content-Length", "1"}, {"Content-Length", "1"}}) == "refused 400");
  for (const char* length : {"", "1, 1", "+1", "-1", "0x1", "1 ", " 1", "1a", "9223372036854775808",
                             "99999999999999999999"}) {
    CAPTURE(length);
    CHECK(request_framing({{"Content-Length", length}}) == "refused 400");
  }
  for (const char* encoding : {"gzip", "gzip, chunked", "chunked, chunked", "identity", "",
                               "\"chunked\"", "xchunked", "chunked;q=1"}) {
    CAPTURE(encoding);
    CHECK(request_framing({{"Transfer-Encoding", encoding}}) == "refused 501");
  }
  CHECK(request_framing({{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}) ==
        "refused 501");
  CHECK(request_framing({{"Transfer-Encoding", "chunked"}}, 0) == "refused 400");
}

TEST_CASE("an answer's body depends on status and method too") {
  CHECK(answer_framing(200, {}) == "until close");
  CHECK(answer_framing(200, {{"Content-Length", "5"}}) == "length 5");
  CHECK(answer_framing(200, {{"Transfer-Encoding", "chunked"}}) == "chunked");
  CHECK(answer_framing(200, {{"Content-Length", "5"}}, "HEAD") == "none");
  CHECK(answer_framing(304, {{"Content-Length", "5"}}) == "none");
  CHECK(answer_framing(204, {}) == "none");
  CHECK(answer_framing(200, {{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}) ==
        "refused 400");
}

TEST_CASE("a body of known length ends there") {
  BodyScanner scanner({Kind::length, 5});
  CHECK(scanner.take("abc") == 3);
  CHECK_FALSE(scanner.over());
  CHECK_FALSE(scanner.may_end_here());
  CHECK(scanner.take("defGET / HTTP/1.1") == 2);
  CHECK(scanner.over());
  CHECK(scanner.take("more") == 0);
  CHECK(BodyScanner({Kind::none, 0}).over());
  BodyScanner endless({Kind::until_close, 0});
  CHECK(endless.take("abc") == 3);
  CHECK(endless.may_end_here());
}

// The example of RFC 9112 section 7.1 has extensions and trailers; the lengths are hexadecimal.
TEST_CASE("chunks are taken apart however they are cut") {
  const std::pair<std::string, std::string> rows[] = {
      {"5\r\nhello\r\n0\r\n\r\nnext", "hello|next"},
      {"1\r\na\r\n00002\r\nbc\r\n0\r\n\r\n", "abc|"},
      {"A\r\n0123456789\r\na;name=value ; q = \"x;\\\"y\"\r\n9876543210\r\n0;last\r\n\r\n",
       "01234567899876543210|"},
      {"0\r\nTrailer: one\r\nOther: two\r\n\r\nGET", "|GET"},
      {"0\r\n\r\n", "|"},
      {"3\r\n\r\n\r\r\n0\r\n\r\n", "\r\n\r|"},
      {"3\r\nab", "more"},
      {"0\r\n", "more"},
  };
  for (const auto& row : rows) {
    for (std::size_t piece = 1; piece <= row.first.size(); ++piece) {
      CAPTURE(row.first);
      CAPTURE(piece);
      CHECK(decoded(row.first, piece) == row.second);
    }
  }
}

TEST_CASE("chunks that two readers could read differently are refused") {
  const std::string rows[] = {"\r\n",
                              "g\r\n",
                              "-1\r\n",
                              "+1\r\na",
                              "0x1\r\na",
                              "1 \r\na",
                              " 1\r\na",
                              "1\na\r\n",
                              "1\r\na\n0",
                              "1\r\nab\r\n",
                              "1\r\na\r0",
                              "1;\na",
                              "1;a\nb\r\n",
                              "1;a\rb\r\n",
                              "1\r\r\na",
                              "1;\x01\r\n",
                              "1;\r\na\r\n",
                              "1;a=\r\na\r\n",
                              "1;\"a\"\r\na\r\n",
                              "1;a b\r\na\r\n",
                              "1;a=\"b\r\na\r\n",
                              "1;a=\"b\\\"\r\na\r\n",
                              "0\r\n folded\r\n",
                              "0\r\nno colon\r\n",
                              "0\r\nA: b\n\r\n",
                              "0\r\nA : b\r\n",
                              "0\r\n\n",
                              "1234567890abcdef0\r\n",
                              "1;" + std::string(2000, 'x') + "\r\n",
                              "0\r\n" + std::string(20000, 'A') + ": b\r\n"};
  for (const std::string& text : rows) {
    CAPTURE(text);
    CHECK(decoded(text, text.size()) == "malformed");
    CHECK(decoded(text, 1) == "malformed");
  }
}

TEST_CASE("trailers are taken out wherever they are cut") {
  const std::string sent = "2\r\nok\r\n0\r\nSet-Cookie: a=b\r\nHost: x\r\n\r\nGET";
  for (std::size_t piece = 1; piece <= sent.size(); ++piece) {
    CAPTURE(piece);
    BodyScanner scanner({Kind::chunked, 0});
    std::string kept, rest = sent;
    while (!scanner.over() && !rest.empty()) {
      std::string some = rest.substr(0, piece);
      const BodyScanner::Kept result = scanner.take_without_trailers(some);
      kept += some.substr(0, result.kept);
      rest.erase(0, result.taken);
    }
    CHECK(kept == "2\r\nok\r\n0\r\n\r\n");
    CHECK(rest == "GET");
  }
}

TEST_CASE("taking counts exactly what belongs to the body") {
  BodyScanner scanner({Kind::chunked, 0});
  const std::string body = "5\r\nhello\r\n0\r\n\r\n";
  CHECK(scanner.take(body + "GET / HTTP/1.1\r\n") == body.size());
  CHECK(scanner.over());
}
