// Every operation of an exchange through the HTTP listener failing in turn, in every way: a program
// gets the whole answer, or can tell that it did not, and nothing is asked for twice.
#include <doctest/doctest.h>

#include <algorithm>

#include "access/testing/fail_each.hpp"
#include "access/testing/stage.hpp"

using namespace mayfly;
using namespace mayfly::testing;
using namespace std::chrono_literals;

namespace {

const std::string up = pattern(20'000), down = pattern(40'000);

std::string chunked(const std::string& text) {
  std::string chunks;
  for (std::size_t at = 0; at < text.size(); at += 7000) {
    const std::string piece = text.substr(at, 7000);
    chunks += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
  }
  return chunks + "0\r\n\r\n";
}

// The application: it knows what it has to be sent, and how to answer by the path.
std::string answer_to(const std::string& request) {
  if (request.starts_with("POST ") &&
      !request.ends_with("\r\n\r\n" + (request.find("chunked") < 1000 ? chunked(up) : up)))
    return ok("wrong");
  if (request.find(" /chunked") < 10)
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(down);
  if (request.find(" /close") < 10) return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + down;
  if (request.find(" /login") < 10 &&
      request.find("\r\nCf-Access-Token: obtained\r\n") == std::string::npos)
    return "HTTP/1.1 302 Found\r\nLocation: "
           "https://t.cloudflareaccess.com/cdn-cgi/access/login\r\nContent-Length: 0\r\n\r\n";
  if (request.find(" /socket") < 10) return upgraded(request) + down;
  return request.starts_with("GET ") || request.starts_with("POST ") ? ok(down) : "";
}

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: HOST\r\n\r\n";
}
const std::string post_length = fmt::format(
    "POST /length/NUMBER HTTP/1.1\r\nHost: HOST\r\nContent-Length: {}\r\n\r\n{}", up.size(), up);
const std::string post_chunked =
    "POST /chunked/NUMBER HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n" +
    chunked(up);

bool is_answered(const Answer& answer) {
  return answer.status == 200 && answer.whole && answer.body == down;
}

// Only what stalls is waited for.
void judge(const Answer& answer, const Run& run, Fault fault) {
  const bool right = answer.body == down, begun = down.starts_with(answer.body);
  if (answer.whole && answer.status == 200) CHECK(right);
  if (answer.whole && answer.status != 200) {
    CHECK((answer.status == 502 || (answer.status == 504 && fault == Fault::stall)));
    CHECK_FALSE(run.reported.empty());
  }
  if (!answer.whole && answer.status == 200) CHECK(begun);
}

// Whatever failed, the listener goes on, and has forgotten it.
void fail_each_of(const Script& script) {
  std::optional<Stage> stage;
  fail_each([&](Fault fault, int at) {
    if (at == 0) stage.emplace(answer_to);
    const auto pool = stage->pool();
    const Run run = stage->serve(script, *pool, {fault, at});
    for (const Answer& answer : run.answers) judge(answer, run, fault);
    if (at == 0 || is_harmless(fault)) {
      CHECK(run.answers.size() == script.requests.size());
      CHECK(std::ranges::all_of(run.answers, is_answered));
      CHECK(run.reported.empty());
    }
    CHECK(run.in_vain < 20);  // it is not tried for ever
    const Run next = stage->serve({.requests = {get("/length")}}, *pool, {});
    CHECK((next.answers.size() == 1 && is_answered(next.answers.front())));
    return run.operations;
  });
}

}  // namespace

TEST_CASE("every operation of a request with a body fails in turn") {
  fail_each_of({.requests = {post_length}});
}
TEST_CASE("every operation of a request with chunks fails in turn") {
  fail_each_of({.requests = {post_chunked}});
}
TEST_CASE("every operation of two requests over one connection fails in turn") {
  fail_each_of({.requests = {get("/chunked"), get("/length")}});
}
TEST_CASE("every operation of a request over a kept connection fails in turn") {
  fail_each_of({.requests = {get("/length"), post_length}});
}
TEST_CASE("every operation of an answer that ends with its connection fails in turn") {
  fail_each_of({.requests = {get("/close")}});
}
TEST_CASE("every operation of an answer that ends with its connection fails in turn, Unix socket") {
  fail_each_of({.requests = {get("/close")}, .connect = unix_pair});
}
TEST_CASE("every operation of an answer to a program of HTTP/1.0 fails in turn") {
  fail_each_of({.requests = {"GET /chunked HTTP/1.0\r\nHost: HOST\r\n\r\n"}});
}
TEST_CASE("every operation of a request with a login in between fails in turn") {
  const std::size_t path = post_length.find("/length");
  fail_each_of({.requests = {std::string(post_length).replace(path, 7, "/login")}});
}

TEST_CASE("every operation of an upgraded connection fails in turn") {
  const std::string said = up + "\r\n\r\n";
  const Script script{
      .requests = {"GET /socket HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: "
                   "websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
                   said},
      .connect = unix_pair,
      .upgrades = true};
  std::optional<Stage> stage;
  fail_each([&](Fault fault, int at) {
    if (at == 0) stage.emplace(answer_to);
    const auto pool = stage->pool();
    const Run run = stage->serve(script, *pool, {fault, at});
    REQUIRE(run.answers.size() == 1);
    const Answer& answer = run.answers.front();
    if (answer.status != 101) judge(answer, run, fault);
    const bool right = answer.body == down, begun = down.starts_with(answer.body);
    if (answer.status == 101) CHECK(begun);
    if (at == 0 || is_harmless(fault)) CHECK((answer.status == 101 && right));
    CHECK(run.in_vain < 20);
    for (const std::string& heard : stage->asked())
      CHECK((heard.starts_with("GET ") || said.starts_with(heard)));
    const Run next = stage->serve({.requests = {get("/length")}}, *pool, {});
    CHECK((next.answers.size() == 1 && is_answered(next.answers.front())));
    return run.operations;
  });
}
