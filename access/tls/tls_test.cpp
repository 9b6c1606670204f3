#include "access/tls/tls.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include "access/testing/authority.hpp"
#include "access/testing/server.hpp"

using namespace mayfly;
using namespace mayfly::testing;

namespace {

Descriptor connected_to(int port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  REQUIRE(connect(socket.get(), name, sizeof address) == 0);
  return socket;
}

void await(const TlsStream& stream, short events) {
  pollfd waiting{.fd = stream.descriptor(), .events = events, .revents = 0};
  REQUIRE(poll(&waiting, 1, 10'000) == 1);
}

// Leaves an error in OpenSSL's queue, as other code in this thread might.
void leave_an_error() {
  ERR_put_error(ERR_LIB_RSA, 0, RSA_R_INVALID_PADDING, __FILE__, __LINE__);
  REQUIRE(ERR_peek_error() != 0);
}

}  // namespace

TEST_CASE("an error that other code left in OpenSSL's queue does not fail the connection") {
  const TestAuthority authority;
  authority.issue_server("app", "DNS:app.example");
  TestServerOptions serving;
  serving.certificate = authority.path("app.pem");
  serving.key = authority.path("app.key");
  serving.answer = [](const std::string&) { return ok("hello"); };
  TestServer server(serving);

  ConnectionOptions options;
  options.ca_file = authority.path("ca.pem");
  TlsContext context(options, parse_url("app.example"), TlsContext::Buffers::release);
  TlsStream stream(context, std::make_unique<SocketWire>(connected_to(server.port())));

  const auto finish = [&](const auto& step) {
    for (;;) {
      leave_an_error();
      const IoResult result = step();
      CAPTURE(result.failure);
      REQUIRE(result.state != IoResult::State::failed);
      if (result.state == IoResult::State::moved) return result.bytes;
      await(stream, result.state == IoResult::State::wait_readable ? POLLIN : POLLOUT);
    }
  };
  finish([&] { return stream.handshake(); });
  leave_an_error();
  std::array<std::byte, 256> room{};
  CHECK(stream.read(room).state == IoResult::State::wait_readable);

  const std::string_view request = "GET / HTTP/1.1\r\nHost: app.example\r\n\r\n";
  CHECK(finish([&] { return stream.write(std::as_bytes(std::span(request))); }) == request.size());
  CHECK(finish([&] { return stream.read(room); }) > 0);
}
