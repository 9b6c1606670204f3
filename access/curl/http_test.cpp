#include "access/curl/http.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "access/core/edge_clock.hpp"
#include "access/core/error.hpp"
#include "access/system/interrupt.hpp"
#include "access/testing/authority.hpp"
#include "access/testing/server.hpp"

using namespace mayfly;
using namespace mayfly::testing;

namespace {

// One authority for all cases: making one takes longer than most of them.
const TestAuthority& authority() {
  static const TestAuthority made;
  static const bool issued = [] {
    made.issue_server("app", "DNS:app.example,DNS:other.example");
    return true;
  }();
  static_cast<void>(issued);
  return made;
}

TestServerOptions serving(std::function<std::string(const std::string&)> answer) {
  TestServerOptions options;
  options.certificate = authority().path("app.pem");
  options.key = authority().path("app.key");
  options.answer = std::move(answer);
  return options;
}

ConnectionOptions to(const TestServer& server) {
  ConnectionOptions options;
  options.user_agent = "mayfly-test";
  options.ca_file = authority().path("ca.pem");
  options.connect_to = {fmt::format("::127.0.0.1:{}", server.port())};
  return options;
}

Request get(const std::string& url) {
  return {.url = parse_url(url), .headers = {}, .body = ""};
}

Error failure(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  FAIL_CHECK("nothing was thrown");
  return {ErrorKind::usage, ""};
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a request that may no longer be sent does not go out") {
  std::atomic<int> seen = 0;
  TestServer server(serving([&](const std::string&) {
    ++seen;
    return ok("hello");
  }));
  HttpClient client(to(server));
  Request request = get("https://app.example/");
  bool asked = false;
  request.before_sending = [&] {
    CHECK(seen == 0);
    asked = true;
  };
  CHECK(client.send(request).status == 200);
  CHECK(asked);

  request.before_sending = [] { throw Error(ErrorKind::login_needed, "logged out"); };
  CHECK(failure([&] { client.send(request); }).message() == "logged out");
  CHECK(seen == 1);
  request.before_sending = {};
  CHECK(client.send(request).status == 200);
  CHECK(seen == 2);
}

TEST_CASE("a GET carries path, query, headers and user agent, and its answer comes back whole") {
  std::string seen;
  TestServer server(serving([&](const std::string& request) {
    seen = request;
    return ok("hello", "CF-Ray: 8a\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n");
  }));
  HttpClient client(to(server));
  Request request = get("https://app.example/?x=%20y");
  request.url.path = "/a/../b";  // libcurl would change it
  request.headers = {{"Cookie", "CF_Authorization=t"}, {"X-Empty", ""}};
  const Response response = client.send(request);
  CHECK(response.status == 200);
  CHECK(response.body == "hello");
  CHECK(response.headers.find("cf-ray") == "8a");
  CHECK(response.cookie("b", request.url, {})->value == "2");
  CHECK(seen.starts_with("GET /a/../b?x=%20y HTTP/1.1\r\n"));
  CHECK(holds(seen, "\r\nHost: app.example\r\n"));
  CHECK(holds(seen, "\r\nUser-Agent: mayfly-test\r\n"));
  CHECK(holds(seen, "\r\nCookie: CF_Authorization=t\r\n"));
  CHECK(holds(seen, "\r\nX-Empty:\r\n"));
}

TEST_CASE("only a server with a verified certificate tells the time") {
  TestServer server(serving(
      [](const std::string&) { return ok("", "Date: Wed, 01 Jan 2020 00:00:00 GMT\r\n"); }));
  const Request request = get("app.example");
  ConnectionOptions options = to(server);
  options.verify = ConnectionOptions::Verify::no;
  forget_edge_time();
  CHECK(HttpClient(options).send(request).status == 200);
  CHECK_FALSE(is_edge_time_known());
  options.verify = ConnectionOptions::Verify::yes;
  CHECK(HttpClient(options).send(request).status == 200);
  CHECK(is_edge_time_known());
  forget_edge_time();
}

TEST_CASE("HEAD, POST and GET follow each other on one connection") {
  std::string methods;
  TestServer server(serving([&](const std::string& request) {
    methods += request.substr(0, request.find(' ')) + " ";
    if (request.starts_with("HEAD"))
      return std::string(
          "HTTP/1.1 302 Found\r\nContent-Length: 7\r\nLocation: https://x.example/\r\n\r\n");
    return ok(request.substr(request.find("\r\n\r\n") + 4));
  }));
  HttpClient client(to(server));
  Request request = get("https://app.example/");
  request.method = Request::Method::head;
  const Response head = client.send(request);
  CHECK(head.status == 302);
  CHECK(head.body.empty());
  CHECK(head.headers.find("location") == "https://x.example/");
  request.method = Request::Method::post;
  request.body = std::string("{\"a\":\0}", 7) + std::string(200'000, 'x');
  CHECK(client.send(request).body == request.body);
  request.method = Request::Method::get;
  CHECK(client.send(request).body.empty());
  CHECK(methods == "HEAD POST GET ");
  CHECK(server.handshakes() == 1);
}

TEST_CASE("a new connection resumes the TLS session") {
  TestServer server(serving([](const std::string&) { return ok("", "Connection: close\r\n"); }));
  HttpClient client(to(server));
  client.send(get("https://app.example/"));
  client.send(get("https://app.example/"));
  CHECK(server.handshakes() == 2);
  CHECK(server.resumed() == 1);
}

TEST_CASE("headers that could begin another are refused before anything is sent") {
  const Header cases[] = {
      {"A", "1\r\nB: 2"}, {"A", "1\nB: 2"},  {"A", std::string("1\0", 2)},
      {"", "1"},          {"A B", "1"},      {"A:", "1"},
      {"A\r\nB", "1"},    {"\xc3\xa4", "1"},
  };
  for (const Header& header : cases) {
    CAPTURE(header.name);
    CHECK(failure([&] { header_line(header); }).kind() == ErrorKind::usage);
  }
  CHECK(header_line({"Cf-Access-Token", "a b"}) == "Cf-Access-Token: a b");
}

TEST_CASE("an answer beyond the limits is a protocol error") {
  std::string answer;
  TestServer server(serving([&](const std::string&) { return answer; }));
  HttpClient client(to(server));
  Request request = get("https://app.example/");
  request.max_body = 1000;
  answer = ok(std::string(1000, 'x'));
  CHECK(client.send(request).body.size() == 1000);
  answer = ok(std::string(1001, 'x'));
  Error error = failure([&] { client.send(request); });
  CHECK(error.kind() == ErrorKind::protocol);
  CHECK(holds(error.message(), "body is larger than 1000 bytes"));
  answer = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 100; ++i) answer += "A: " + std::string(1000, 'x') + "\r\n";
  answer += "Content-Length: 0\r\n\r\n";
  error = failure([&] { client.send(request); });
  CHECK(error.kind() == ErrorKind::protocol);
  CHECK(holds(error.message(), "header is larger than 65536 bytes"));
}

TEST_CASE("what is no HTTP, a cut answer and silence are told apart") {
  std::string answer = "SSH-2.0-OpenSSH_9.2\r\n\r\n";
  TestServer server(serving([&](const std::string&) { return answer; }));
  HttpClient client(to(server));
  Request request = get("https://app.example/");
  CHECK(failure([&] { client.send(request); }).kind() == ErrorKind::protocol);
  answer = "";
  Error error = failure([&] { client.send(request); });
  CHECK(error.kind() == ErrorKind::network);
  CHECK(holds(error.message(), "closed before an answer came"));
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
  request.timeout = std::chrono::seconds(1);
  error = failure([&] { client.send(request); });
  CHECK(error.kind() == ErrorKind::network);
  CHECK(holds(error.message(), "timed out waiting for the answer"));
}

TEST_CASE("no redirect is followed, and only https is spoken") {
  std::atomic<int> requests{0};
  TestServer server(serving([&](const std::string&) {
    ++requests;
    return std::string(
        "HTTP/1.1 301 Moved\r\nLocation: http://app.example/\r\nContent-Length: 0\r\n\r\n");
  }));
  HttpClient client(to(server));
  CHECK(client.send(get("https://app.example/")).status == 301);
  CHECK(requests == 1);
}

namespace {

// What an interrupted client does; its exit status tells the kind of the error.
[[noreturn]] void wait_to_be_interrupted(int port) {
  try {
    catch_interrupts();
    ConnectionOptions options;
    options.ca_file = authority().path("ca.pem");
    options.connect_to = {fmt::format("::127.0.0.1:{}", port)};
    HttpClient client(options);
    Request request = get("https://app.example/");
    request.timeout = std::chrono::minutes(5);
    client.send(request);
    _exit(0);
  } catch (const Error& error) {
    _exit(static_cast<int>(error.kind()));
  }
}

}  // namespace

TEST_CASE("an interruption ends a request that waits") {
  // In a child, since an interruption stays for the rest of a process; made before the server's
  // threads, since these could hold a lock that the child would wait for. The server answers with
  // the signal.
  authority();
  int gate[2];
  REQUIRE(pipe(gate) == 0);
  const pid_t child = fork();
  if (child == 0) {
    int port = 0;
    if (read(gate[0], &port, sizeof port) != sizeof port) _exit(99);
    wait_to_be_interrupted(port);
  }
  TestServer server(serving([child](const std::string&) {
    kill(child, SIGINT);
    return std::string("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");  // and never the body
  }));
  const int port = server.port();
  REQUIRE(write(gate[1], &port, sizeof port) == sizeof port);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  close(gate[0]);
  close(gate[1]);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == static_cast<int>(ErrorKind::login_needed));
}
