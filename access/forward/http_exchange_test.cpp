// One request and its answer between ends that take and give as little as they please.
#include "access/forward/http_exchange.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>

using namespace mayfly;
using State = HttpExchange::State;
using Kind = BodyFraming::Kind;
using namespace std::string_literals;

namespace {

// What may be read, piece by piece, and then the end if there is one; what was written.
struct Script {
  std::deque<std::string> pieces;
  bool ends = false, breaks = false;
  std::size_t takes = std::string::npos;  // of a write at once
  bool deaf = false;
  std::string written;
  std::size_t largest_read = 0;

  IoResult read(std::span<std::byte> into) {
    if (!pieces.empty()) {
      std::string& piece = pieces.front();
      const std::size_t size = std::min(piece.size(), into.size());
      std::memcpy(into.data(), piece.data(), size);
      piece.erase(0, size);
      if (piece.empty()) pieces.pop_front();
      largest_read = std::max(largest_read, size);
      return {.bytes = size};
    }
    if (breaks) return {.state = IoResult::State::failed, .bytes = 0, .failure = "cut off"};
    return {.state = ends ? IoResult::State::ended : IoResult::State::wait_readable};
  }
  IoResult write(std::string_view bytes) {
    if (deaf) return {.state = IoResult::State::failed, .bytes = 0, .failure = "deaf"};
    const std::size_t size = std::min(bytes.size(), takes);
    written += bytes.substr(0, size);
    return {.bytes = size};
  }
};

struct Client : LocalEnd, Script {
  IoResult read(std::span<std::byte> into) override { return Script::read(into); }
  IoResult write(std::span<const iovec> gathered) override {
    std::size_t all = 0;
    for (const iovec& piece : gathered) {
      const IoResult result =
          Script::write({static_cast<const char*>(piece.iov_base), piece.iov_len});
      if (result.state != IoResult::State::moved) return result;
      all += result.bytes;
      if (result.bytes < piece.iov_len) break;
    }
    return {.bytes = all};
  }
};

struct Edge : TunnelEnd, Script {
  IoResult read(std::span<std::byte> into) override { return Script::read(into); }
  IoResult write(std::span<const std::byte> bytes) override {
    return Script::write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
};

struct Fixture {
  explicit Fixture(const BodyFraming& framing = {}) : body(framing) {}

  Client client;
  Edge edge;
  BufferPool buffers;
  RequestBody body;
  std::string ahead;

  HttpExchange exchange(std::string head = "HEAD\r\n\r\n") {
    return HttpExchange({.client = client,
                         .edge = edge,
                         .buffers = buffers,
                         .body = body,
                         .ahead = ahead,
                         .interim =
                             [](const ResponseHead& interim) {
                               return "interim " + std::to_string(interim.status) + "\n";
                             }},
                        std::move(head));
  }
};

// Until it has come to something, or waits for what does not come.
void go(HttpExchange& exchange) {
  for (;;) {
    if (exchange.state() != State::waiting && exchange.state() != State::passing) return;
    if (!exchange.step().at_once) return;
  }
}

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";

}  // namespace

TEST_CASE("an answer is decided about before it is passed on") {
  Fixture f;
  f.edge.pieces = {ok.substr(0, 10), ok.substr(10) + "he", "llo"};
  auto exchange = f.exchange();
  go(exchange);
  CHECK(f.edge.written == "HEAD\r\n\r\n");
  REQUIRE(exchange.state() == State::answered);
  CHECK(exchange.head().status == 200);
  CHECK(f.client.written.empty());
  CHECK_FALSE(exchange.answer_has_begun());
  exchange.pass_on("head ", {Kind::length, 5}, HttpExchange::Chunks::kept);
  go(exchange);
  CHECK(exchange.state() == State::done);
  CHECK(f.client.written == "head hello");
  CHECK(exchange.edge_is_clean());
  CHECK(f.buffers.lent() == 0);
}

TEST_CASE("bodies pass in both directions, in pieces, and what follows stays") {
  const std::string data(300'000, 'x');
  Fixture f({Kind::length, data.size()});
  f.ahead = data.substr(0, 10);
  f.client.pieces = {data.substr(10) + "GET /next"};
  f.edge.takes = 1000;
  f.client.takes = 700;
  f.edge.pieces = {"HTTP/1.1 200 OK\r\n\r\n"};
  auto exchange = f.exchange();
  go(exchange);
  REQUIRE(exchange.state() == State::answered);
  exchange.pass_on("", {Kind::length, data.size()}, HttpExchange::Chunks::kept);
  f.edge.pieces = {data.substr(0, 100'000)};
  go(exchange);
  CHECK(exchange.request_is_over());
  f.edge.pieces = {data.substr(100'000)};
  exchange.edge_is(IoResult::State::wait_readable);
  go(exchange);
  CHECK(exchange.state() == State::done);
  CHECK(f.edge.written == "HEAD\r\n\r\n" + data);
  CHECK(f.client.written == data);
  CHECK(f.ahead == "GET /next");
  CHECK(f.edge.largest_read <= BufferPool::size);
  CHECK_FALSE(f.body.can_be_replayed);
  CHECK(f.body.sent.empty());
}

TEST_CASE("interim answers go first") {
  Fixture f({Kind::length, 4});
  f.edge.pieces = {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"};
  auto exchange = f.exchange();
  go(exchange);
  CHECK(exchange.state() == State::waiting);
  CHECK(f.client.written == "interim 100\ninterim 103\n");
  f.client.pieces = {"body"};
  exchange.client_is(IoResult::State::wait_readable);
  go(exchange);
  CHECK(f.edge.written == "HEAD\r\n\r\nbody");
  CHECK(exchange.request_is_over());
}

TEST_CASE("a small body is sent again to another connection") {
  Fixture f({Kind::chunked, 0});
  f.client.pieces = {"4\r\nbo"};
  {
    auto exchange = f.exchange();
    go(exchange);
    f.edge.pieces = {"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"};
    exchange.edge_is(IoResult::State::wait_readable);
    go(exchange);
    CHECK(exchange.state() == State::answered);
    CHECK_FALSE(exchange.edge_is_clean());
  }
  REQUIRE(f.body.can_be_replayed);
  f.edge = {};
  f.client.pieces = {"dy\r\n0\r\n\r\n"};
  auto again = f.exchange("AGAIN ");
  go(again);
  CHECK(f.edge.written == "AGAIN 4\r\nbody\r\n0\r\n\r\n");
  CHECK(again.request_is_over());
}

TEST_CASE("trailers of a request stay behind") {
  Fixture f({Kind::chunked, 0});
  f.client.pieces = {"1\r\nx\r\n0\r\nCf-Access-Token: evil\r\nHost: evil\r\n\r\nGET"};
  auto exchange = f.exchange();
  go(exchange);
  CHECK(f.edge.written == "HEAD\r\n\r\n1\r\nx\r\n0\r\n\r\n");
  CHECK(f.ahead == "GET");
  CHECK(exchange.request_is_over());
}

TEST_CASE("chunks are kept, or taken out for those who do not know them") {
  const std::string chunks = "3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: 1\r\n\r\n";
  const std::string kept = "3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n";  // no trailers
  for (const auto& [how, expected] : {std::pair(HttpExchange::Chunks::kept, kept),
                                      std::pair(HttpExchange::Chunks::decoded, "abcde"s)}) {
    Fixture f;
    f.edge.pieces = {"HTTP/1.1 200 OK\r\n\r\n" + chunks.substr(0, 5)};
    for (const char c : chunks.substr(5)) f.edge.pieces.push_back({c});
    auto exchange = f.exchange();
    go(exchange);
    exchange.pass_on("", {Kind::chunked, 0}, how);
    go(exchange);
    CHECK(exchange.state() == State::done);
    CHECK(f.client.written == expected);
    CHECK(exchange.edge_is_clean());
  }
}

TEST_CASE("an answer that ends with its connection") {
  Fixture f;
  f.edge.pieces = {"HTTP/1.1 200 OK\r\n\r\nab", "c"};
  auto exchange = f.exchange();
  go(exchange);
  SUBCASE("in order") {
    f.edge.ends = true;
  }
  SUBCASE("broken off") {
    f.edge.breaks = true;
  }
  exchange.pass_on("", {Kind::until_close, 0}, HttpExchange::Chunks::kept);
  exchange.edge_is(IoResult::State::wait_readable);
  go(exchange);
  CHECK(f.client.written == "abc");
  CHECK(exchange.state() == (f.edge.ends ? State::done : State::cut));
  CHECK_FALSE(exchange.edge_is_clean());
}

TEST_CASE("chunks are made of an answer that ends with its connection") {
  Fixture f;
  f.edge.pieces = {"HTTP/1.1 200 OK\r\n\r\nabc"};
  auto exchange = f.exchange();
  go(exchange);
  exchange.pass_on("", {Kind::until_close, 0}, HttpExchange::Chunks::made);
  f.edge.pieces = {"0123456789abcdef"};
  exchange.edge_is(IoResult::State::wait_readable);
  go(exchange);
  CHECK(f.client.written == "3\r\nabc\r\n10\r\n0123456789abcdef\r\n");
  SUBCASE("in order") {
    f.edge.ends = true;
  }
  SUBCASE("broken off") {
    f.edge.breaks = true;
  }
  exchange.edge_is(IoResult::State::wait_readable);
  go(exchange);
  CHECK(exchange.state() == (f.edge.ends ? State::done : State::cut));
  CHECK(f.client.written.ends_with("\r\n0\r\n\r\n") == f.edge.ends);
}

TEST_CASE("URLs in a body change, whatever its framing, and its end stays an end") {
  const SitePair site{.local = "127.0.0.1:8080", .application = parse_url("app.example.com")};
  const std::string text = R"({"a":"https://app.example.com/x","b":"https://app.example.com)";
  const std::string expected = R"({"a":"http://127.0.0.1:8080/x","b":"https://app.example.com)";
  struct Row {
    BodyFraming body;
    std::string begin, end;
  };
  const Row rows[] = {{{Kind::length, text.size()}, "", ""},
                      {{Kind::chunked, 0}, fmt::format("{:x}\r\n", text.size()), "\r\n0\r\n\r\n"},
                      {{Kind::until_close, 0}, "", ""}};
  for (const Row& row : rows)
    for (const std::size_t piece : {1, 5, 1000})
      for (const auto how : {HttpExchange::Chunks::made, HttpExchange::Chunks::decoded}) {
        Fixture f;
        const std::string body = row.begin + text + row.end;
        f.edge.pieces = {"HTTP/1.1 200 OK\r\n\r\n" + body.substr(0, piece)};
        auto exchange = f.exchange();
        go(exchange);
        for (std::size_t at = piece; at < body.size(); at += piece)
          f.edge.pieces.push_back(body.substr(at, piece));
        f.edge.ends = row.body.kind == Kind::until_close;
        exchange.pass_on("", row.body, how, JsonUrls(site));
        go(exchange);
        CHECK(exchange.state() == State::done);
        CHECK(exchange.edge_is_clean() == (row.body.kind != Kind::until_close));
        if (how == HttpExchange::Chunks::decoded) {
          CHECK(f.client.written == expected);
          continue;
        }
        BodyScanner scanner({Kind::chunked, 0});
        std::string read;
        const std::string_view written = f.client.written;
        std::size_t at = 0;
        for (BodyScanner::Part part; (part = scanner.next(written.substr(at))).size > 0;
             at += part.size)
          if (part.sort == BodyScanner::Part::Sort::data) read += written.substr(at, part.size);
        CHECK(read == expected);
        CHECK(scanner.over());
        CHECK(at == written.size());
      }
}

TEST_CASE("an answer that is cut is not taken for a whole one") {
  Fixture f;
  f.edge.pieces = {ok + "he"};
  f.edge.ends = true;
  auto exchange = f.exchange();
  go(exchange);
  exchange.pass_on("", {Kind::length, 5}, HttpExchange::Chunks::kept);
  go(exchange);
  CHECK(exchange.state() == State::cut);
  CHECK_FALSE(exchange.problem().empty());
  CHECK(f.buffers.lent() == 0);
}

TEST_CASE("no answer, with a reason") {
  Fixture f;
  const auto problem = [&] {
    auto exchange = f.exchange();
    go(exchange);
    CHECK(exchange.state() == State::edge_failed);
    CHECK_FALSE(exchange.answer_has_begun());
    return exchange.problem();
  };
  SUBCASE("closed") {
    f.edge.ends = true;
    CHECK(problem().find("closed") != std::string::npos);
  }
  SUBCASE("broken") {
    f.edge.breaks = true;
    CHECK(problem() == "cut off");
  }
  SUBCASE("does not even listen") {
    f.edge.deaf = f.edge.ends = true;
    CHECK(problem() == "deaf");
  }
  SUBCASE("takes nothing, and says nothing either") {
    f.edge.deaf = true;
    CHECK(problem() == "deaf");
  }
  SUBCASE("no HTTP") {
    f.edge.pieces = {"SSH-2.0-x"};
    CHECK(problem().find("HTTP") != std::string::npos);
  }
  SUBCASE("endless head") {
    f.edge.pieces.push_back("HTTP/1.1 200 OK\r\nX: ");
    for (int i = 0; i < 70; ++i) f.edge.pieces.push_back(std::string(1000, 'x'));
    CHECK(problem().find("too long") != std::string::npos);
  }
  SUBCASE("long head whose end comes with the rest") {
    f.edge.pieces = {"HTTP/1.1 200 OK\r\nX: " + std::string(60'000, 'x'),
                     std::string(10'000, 'x') + "\r\nContent-Length: 0\r\n\r\n"};
    CHECK(problem().find("too long") != std::string::npos);
  }
}

TEST_CASE("an early answer is heard although nobody takes the rest of the request") {
  Fixture f({Kind::length, 100});
  f.client.pieces = {"begin"};
  f.edge.deaf = true;
  f.edge.pieces = {ok + "hello"};
  auto exchange = f.exchange();
  go(exchange);
  REQUIRE(exchange.state() == State::answered);
  exchange.pass_on("", {Kind::length, 5}, HttpExchange::Chunks::kept);
  go(exchange);
  CHECK(exchange.state() == State::done);
  CHECK_FALSE(exchange.request_is_over());
  CHECK_FALSE(exchange.edge_is_clean());
}

TEST_CASE("a program that sends nonsense or goes away") {
  Fixture f({Kind::chunked, 0});
  SUBCASE("nonsense") {
    f.client.pieces = {"3\r\nabcd\r\n"};
    auto exchange = f.exchange();
    go(exchange);
    CHECK(exchange.state() == State::bad_request);
  }
  SUBCASE("in the middle of its request") {
    f.client.pieces = {"3\r\na"};
    f.client.ends = true;
    auto exchange = f.exchange();
    go(exchange);
    CHECK(exchange.state() == State::client_gone);
  }
  SUBCASE("in the middle of the answer") {
    f.client.pieces = {"0\r\n\r\n"};
    f.edge.pieces = {ok};
    auto exchange = f.exchange();
    go(exchange);
    f.client.deaf = true;
    exchange.pass_on("head", {Kind::length, 5}, HttpExchange::Chunks::kept);
    go(exchange);
    CHECK(exchange.state() == State::client_gone);
  }
}

TEST_CASE("a connection that said close, or too much, serves no other request") {
  for (const std::string& answer :
       {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"s, "HTTP/1.0 200 OK\r\n\r\nhello"s,
        "HTTP/1.1 200 OK\r\n\r\nhelloHTTP/1.1 200 OK\r\n"s}) {
    Fixture f;
    f.edge.pieces = {answer};
    auto exchange = f.exchange();
    go(exchange);
    exchange.pass_on("", {Kind::length, 5}, HttpExchange::Chunks::kept);
    go(exchange);
    CHECK(exchange.state() == State::done);
    CHECK(f.client.written == "hello");
    CHECK_FALSE(exchange.edge_is_clean());
  }
}

TEST_CASE("after an upgrade bytes go both ways until the edge ends, or nobody reads") {
  Fixture f;
  f.edge.pieces = {"HTTP/1.1 101 Switching Protocols\r\n\r\nearly"};
  auto exchange = f.exchange();
  go(exchange);
  REQUIRE(exchange.state() == State::answered);
  f.client.pieces = {"ping"};
  f.edge.pieces = {"pong"};
  exchange.pass_both_ways("101 ");
  go(exchange);
  CHECK(exchange.state() == State::passing);
  CHECK(f.client.written == "101 earlypong");
  CHECK(f.edge.written == "HEAD\r\n\r\nping");
  SUBCASE("the edge") {
    f.edge.ends = true;
    exchange.edge_is(IoResult::State::wait_readable);
  }
  SUBCASE("the edge, after the program has finished sending") {
    f.client.ends = true;
    exchange.client_is(IoResult::State::wait_readable);
    go(exchange);
    CHECK(exchange.client_has_finished());
    CHECK(exchange.state() == State::passing);
    f.edge.pieces = {"late"};
    f.edge.ends = true;
    exchange.edge_is(IoResult::State::wait_readable);
    go(exchange);
    CHECK(f.client.written == "101 earlyponglate");
  }
  go(exchange);
  CHECK(exchange.state() == State::done);
  CHECK_FALSE(exchange.edge_is_clean());
}
