// One connection to the HTTP listener: what may stand still, and for how long.
#include "access/forward/http_connection.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <future>
#include <thread>

#include "access/core/error.hpp"
#include "access/dial/dial.hpp"
#include "access/testing/tunnel.hpp"

using namespace mayfly;
using namespace mayfly::testing;
using namespace std::chrono_literals;

namespace {

constexpr HttpPatience short_patience{.between_requests = 50ms, .head = 50ms, .silence = 50ms};
const std::string request = "GET /a?secret HTTP/1.1\r\nHost: app.local\r\n\r\n";

std::string all_from(int socket) {
  std::string text;
  std::array<char, 4096> room{};
  for (;;) {
    const ssize_t count = read(socket, room.data(), room.size());
    if (count <= 0) return text;
    text.append(room.data(), static_cast<std::size_t>(count));
  }
}

struct Served {
  std::string answer;
  std::string error;  // what is to be reported
};

// A program and the listener's end of its connection.
struct Program {
  Program() {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    listeners = Descriptor(ends[0]);
    own = Descriptor(ends[1]);
  }
  Descriptor listeners, own;
};

// A program that says that, and then no more, at a listener in front of that server.
Served serve(const ForwarderOptions& options, const std::string& said, Program&& at = {}) {
  Descriptor ours(std::move(at.listeners));
  const Descriptor& program = at.own;
  REQUIRE(write(program.get(), said.data(), said.size()) == static_cast<ssize_t>(said.size()));

  Dialer dialer(options.edge, TlsContext::Buffers::release);
  BufferPool buffers;
  asio::io_context loop;
  const Authorization authorization{.known =
                                        [] {
                                          return Headers{{"Cf-Access-Token", "token"}};
                                        },
                                    .obtain = {}};
  Authorizer authorizer(authorization);
  EdgePool pool(dialer);
  const HttpConnection::Shared shared{
      .options = options, .authorizer = authorizer, .pool = pool, .buffers = buffers, .names = {}};
  auto connection = std::make_unique<HttpConnection>(loop.get_executor(), shared, std::move(ours));
  Served served;
  asio::co_spawn(loop, connection->run(), [&](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const Error& error) {
      served.error = error.message();
    }
    connection.reset();
  });
  loop.run_for(5s);
  CHECK(connection == nullptr);
  served.answer = all_from(program.get());
  return served;
}

ForwarderOptions options_to(int port, const HttpPatience& patience) {
  ForwarderOptions options;
  options.edge = tunnel_to(port);
  options.patience = patience;
  return options;
}

}  // namespace

TEST_CASE("a program that says nothing, or half a head, is not waited for") {
  for (const char* said : {"", "GET / HTTP/1.1\r\nHost: a", "\r\n"}) {
    CAPTURE(said);
    const Served served = serve(options_to(1, short_patience), said);
    CHECK(served.answer.empty());
    CHECK(served.error.empty());
  }
}

TEST_CASE("after an answer the next request is waited for as long as before the first") {
  TestServer server(serving([](const std::string&) { return ok("page"); }));
  const HttpPatience patience{.between_requests = 50ms};
  const Served served = serve(options_to(server.port(), patience), request + request);
  CHECK(served.answer.ends_with("\r\n\r\npage"));
  CHECK(served.answer.find("HTTP/1.1 200 ", 1) != std::string::npos);
  CHECK(served.error.empty());
  CHECK(server.handshakes() == 1);
}

TEST_CASE(
    "an application that never answers is given up, and its path is named without the query") {
  TestServer server(serving([](const std::string&) {
    std::this_thread::sleep_for(300ms);
    return ok("late");
  }));
  const HttpPatience patience{.between_requests = 50ms, .silence = 50ms};
  const Served served = serve(options_to(server.port(), patience), request);
  CHECK(served.answer.starts_with("HTTP/1.1 504 Gateway Timeout\r\n"));
  CHECK(served.answer.find("no answer came from app.example to GET /a in time") !=
        std::string::npos);
  CHECK(served.error.find("secret") == std::string::npos);
  CHECK_FALSE(served.error.empty());
}

TEST_CASE("a program that goes away while an answer is awaited is noticed") {
  Program program;
  std::promise<void> over;
  TestServer server(serving([&, ended = over.get_future().share()](const std::string&) {
    shutdown(program.own.get(), SHUT_RDWR);  // a copy lives on in the process for logins
    ended.wait_for(10s);
    return ok("nobody reads this");
  }));
  const Served served = serve(options_to(server.port(), {}), request, std::move(program));
  over.set_value();
  CHECK(served.answer.empty());
  CHECK(served.error.empty());
}

TEST_CASE("a program that only has no more to say gets its answer") {
  Program program;
  const int its = program.own.get();
  TestServer server(serving([its](const std::string&) {
    shutdown(its, SHUT_WR);
    return ok("page");
  }));
  CHECK(serve(options_to(server.port(), {}), request, std::move(program))
            .answer.ends_with("\r\n\r\npage"));
}

TEST_CASE("a body that does not come is not waited for") {
  TestServer server(serving([](const std::string&) { return ok("never"); }));
  const Served served =
      serve(options_to(server.port(), {.between_requests = 50ms, .silence = 50ms}),
            "POST / HTTP/1.1\r\nHost: app.local\r\nContent-Length: 5\r\n\r\nhe");
  CHECK(served.answer.starts_with("HTTP/1.1 504 "));
}

TEST_CASE("an answer that stands still is cut, and does not look whole") {
  TestServer server(serving(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"; }));
  const Served served =
      serve(options_to(server.port(), {.between_requests = 50ms, .silence = 100ms}), request);
  CHECK(served.answer.find("Content-Length: 100\r\n") != std::string::npos);
  CHECK(served.answer.ends_with("half"));
  CHECK(served.error == "the answer to GET /a was cut: nothing more came");
}
