#include "access/tls/key_exchange.hpp"

#include <doctest/doctest.h>
#include <openssl/crypto.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/testing/silent_port.hpp"
#include "access/tls/tls.hpp"

using namespace mayfly;

namespace {

unsigned number(const std::string& bytes, std::size_t at, std::size_t size) {
  unsigned value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
  return value;
}

// Returns the supported_groups (RFC 8446 section 4.2.7) of a ClientHello in one TLS record.
std::vector<unsigned> groups_in(const std::string& record) {
  std::size_t at = 5 + 4 + 2 + 32;  // record, handshake, version, random
  at += 1 + number(record, at, 1);  // session id
  at += 2 + number(record, at, 2);  // cipher suites
  at += 1 + number(record, at, 1);  // compression methods
  const std::size_t end = at + 2 + number(record, at, 2);
  for (at += 2; at < end; at += 4 + number(record, at + 2, 2)) {
    if (number(record, at, 2) != 10) continue;
    std::vector<unsigned> groups;
    for (std::size_t i = 0; i < number(record, at + 4, 2); i += 2)
      groups.push_back(number(record, at + 6 + i, 2));
    return groups;
  }
  return {};
}

std::string receive_record(int socket) {
  std::string record(5, '\0');
  REQUIRE(::recv(socket, record.data(), 5, MSG_WAITALL) == 5);
  const std::size_t size = number(record, 3, 2);
  record.resize(5 + size);
  REQUIRE(::recv(socket, record.data() + 5, size, MSG_WAITALL) == static_cast<ssize_t>(size));
  return record;
}

// The number in IANA's registry of the group that comes first: X25519MLKEM768 from OpenSSL 3.5 on,
// x25519 before.
unsigned first_of_this_openssl() {
  return OpenSSL_version_num() >= 0x30500000UL ? 0x11EC : 0x001D;
}

TEST_CASE("key exchange: a tunnel offers the post-quantum group first where OpenSSL has it") {
  SocketPair ends = make_socket_pair("no sockets");
  TlsContext context({}, parse_url("app.example"), TlsContext::Buffers::release);
  TlsStream stream(context, std::make_unique<SocketWire>(std::move(ends.ours)));
  std::thread peer([&, socket = ends.theirs.get()] {
    const auto groups = groups_in(receive_record(socket));
    CHECK(groups.size() > 2);
    CHECK(groups.front() == first_of_this_openssl());
    ::shutdown(socket, SHUT_RDWR);
  });
  while (stream.handshake().state == IoResult::State::wait_readable) std::this_thread::yield();
  peer.join();
}

TEST_CASE("key exchange: a request by libcurl does so, too") {
  const testing::SilentPort port(1);
  ConnectionOptions options;
  options.connect_to = {"app.example:443:127.0.0.1:" + std::to_string(port.port)};
  std::thread peer([&] {
    const Descriptor socket(::accept(port.socket.get(), nullptr, nullptr));
    CHECK(groups_in(receive_record(socket.get())).front() == first_of_this_openssl());
  });
  CHECK_THROWS_AS(
      HttpClient(options).send({.url = parse_url("app.example"), .headers = {}, .body = {}}),
      Error);
  peer.join();
}

TEST_CASE("key exchange: the names of groups that resist quantum computers") {
  for (const char* group : {"X25519MLKEM768", "x25519mlkem768", "SecP256r1MLKEM768", "MLKEM1024"})
    CHECK(is_post_quantum(group));
  for (const char* group : {"x25519", "X25519", "secp256r1", "P-256", "ffdhe2048", ""})
    CHECK_FALSE(is_post_quantum(group));
}

}  // namespace
