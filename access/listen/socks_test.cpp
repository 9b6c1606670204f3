// The handshake against the byte layouts of RFC 1928, sections 3 to 6, and the choice of replies.
#include "access/listen/socks.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "access/answer/refusal.hpp"
#include "access/core/text.hpp"
#include "access/listen/local_protocol.hpp"

using namespace mayfly;
using namespace mayfly::socks;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

// The outcome of a handshake for the local program and for the listener.
struct Outcome {
  std::string answers;  // sent so far
  std::string destination, problem;
  std::string left;   // the bytes that the handshake did not ask for
  bool over = false;  // false: it asks for more bytes than there were
};

Outcome hear(std::string_view input) {
  Handshake handshake;
  Outcome outcome;
  while (handshake.wanted() > 0 && handshake.wanted() <= input.size()) {
    const std::string_view piece = input.substr(0, handshake.wanted());
    input.remove_prefix(piece.size());
    outcome.answers += handshake.take(std::as_bytes(std::span(piece)));
  }
  outcome.over = handshake.wanted() == 0;
  outcome.destination = handshake.destination();
  outcome.problem = handshake.problem();
  outcome.left = input;
  return outcome;
}

const std::string greeting = "\x05\x01\x00"s;
const std::string chosen = "\x05\x00"s;

// Returns the code of the reply to a request that fails.
int reply_code(const std::string& request) {
  const Outcome outcome = hear(greeting + request);
  CHECK(outcome.over);
  CHECK(outcome.destination.empty());
  CHECK_FALSE(outcome.problem.empty());
  REQUIRE(outcome.answers.size() == 12);
  CHECK(outcome.answers.substr(0, 3) == chosen + "\x05");
  return outcome.answers[3];
}

std::string name_request(std::string_view name, std::string_view port = "\x00\x50"sv) {
  return "\x05\x01\x00\x03"s + static_cast<char>(name.size()) + std::string(name) +
         std::string(port);
}

}  // namespace

TEST_CASE("destinations of each address type are understood") {
  struct Row {
    std::string request;
    std::string destination;
  };
  const Row rows[] = {
      {"\x05\x01\x00\x01\xc0\x00\x02\x01\x15\x38"s, "192.0.2.1:5432"},
      {"\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x16"s, "[2001:db8::1]:22"},
      {name_request("db.internal"), "db.internal:80"},
      {name_request("DB-1.Internal"), "DB-1.Internal:80"},  // in the spelling of the program
      {name_request("db.internal."), "db.internal.:80"},
      {name_request("localhost", "\xff\xff"), "localhost:65535"},
      // Some programs send addresses as names.
      {name_request("192.0.2.1"), "192.0.2.1:80"},
      {name_request("2001:db8::1"), "[2001:db8::1]:80"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.destination);
    const Outcome outcome = hear(greeting + row.request + "early");
    CHECK(outcome.over);
    CHECK(outcome.destination == row.destination);
    CHECK(outcome.problem.empty());
    CHECK(outcome.answers == chosen);
    CHECK(outcome.left == "early");  // belongs to the tunnel
  }
}

TEST_CASE("no authentication is chosen among the offered methods") {
  CHECK(hear("\x05\x03\x02\x01\x00"s + name_request("a.example")).destination == "a.example:80");
  const std::string offers[] = {"\x05\x01\x02"s, "\x05\x02\x02\x01"s, "\x05\x00"s};
  for (const std::string& offer : offers) {
    const Outcome outcome = hear(offer);
    CHECK(outcome.over);
    CHECK(outcome.answers == "\x05\xff"s);
    CHECK(outcome.problem.find("login") != std::string::npos);
  }
  CHECK(hear("\x05\xff"s + std::string(255, '\0')).answers == chosen);
}

TEST_CASE("a request that is not for a tunnel gets the matching reply") {
  CHECK(reply_code("\x05\x02\x00\x01"s) == 7);  // BIND
  CHECK(reply_code("\x05\x03\x00\x01"s) == 7);  // UDP ASSOCIATE
  CHECK(reply_code("\x05\xf0\x00\x01"s) == 7);  // Tor's RESOLVE
  CHECK(reply_code("\x05\x01\x00\x02"s) == 8);
  CHECK(reply_code("\x05\x01\x00\x00"s) == 8);
  CHECK(reply_code("\x04\x01\x00\x01"s) == 1);
  CHECK(reply_code("\x05\x01\x01\x01"s) == 1);
  CHECK(reply_code(name_request("db.internal", "\x00\x00"sv)) == 1);
}

TEST_CASE("an invalid host name is refused") {
  const std::string names[] = {"",          "a b",   "a\r\nX: y",  "-a",
                               "a..b",      "a/b",   "a:80",       "user@host",
                               "[::1]",     "1.2.3", "0x7f000001", "caf\xc3\xa9.example",
                               "a\0b"s,     ".",     "host..",     std::string(64, 'a'),
                               "fe80::1%lo"};
  for (const std::string& name : names) {
    CAPTURE(name);
    CHECK(reply_code(name_request(name)) == 1);
  }
  const Outcome outcome = hear(greeting + name_request("\x1b[2J"));
  CHECK(outcome.problem == printable(outcome.problem));
}

TEST_CASE("other protocols are recognised, and answered in their own format") {
  const auto check = [](std::string_view input, std::string_view name, std::string_view answer) {
    const Outcome outcome = hear(input);
    CHECK(outcome.over);
    CHECK(outcome.problem.find(name) != std::string::npos);
    CHECK(outcome.answers.substr(0, answer.size()) == answer);
    CHECK(outcome.answers.empty() == answer.empty());
  };
  // SOCKS4: a version byte of 0, "rejected or failed", and six bytes to be ignored.
  check("\x04\x01\x00\x50\xc0\x00\x02\x01user\0"sv, "SOCKS4", "\x00\x5b\0\0\0\0\0\0"sv);
  check("CONNECT db:80 HTTP/1.1\r\n\r\n", "HTTP", "HTTP/1.1 501 ");
  check("GET http://db/ HTTP/1.1\r\n\r\n", "HTTP", "HTTP/1.1 501 ");
  check("\x16\x03\x01\x02\x00", "TLS", "");
  check("\x00\x00"sv, "0x00", "");
  check("SSH-2.0-OpenSSH_9.2\r\n", "HTTP", "HTTP/1.1 501 ");  // cannot be told apart by two bytes
}

TEST_CASE("a handshake waits for its rest, and never asks for more than its bound") {
  const std::string whole =
      greeting + name_request(std::string(63, 'a') + "." + std::string(63, 'b'));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Outcome outcome = hear(whole.substr(0, size));
    CHECK_FALSE(outcome.over);
    CHECK(outcome.destination.empty());
  }
  Handshake handshake;
  const std::string longest = "\x05\x01\x00\x05\x01\x00\x03\xff"s;
  for (std::string_view left = longest; !left.empty();) {
    const std::string_view piece = left.substr(0, handshake.wanted());
    left.remove_prefix(piece.size());
    handshake.take(std::as_bytes(std::span(piece)));
  }
  CHECK(handshake.wanted() == Handshake::most_wanted);
}

TEST_CASE("a reply is ten bytes, with no address bound") {
  CHECK(reply_text(Reply::succeeded) == "\x05\x00\x00\x01\0\0\0\0\0\0"s);
  CHECK(reply_text(Reply::ttl_expired) == "\x05\x06\x00\x01\0\0\0\0\0\0"s);
}

namespace {

Reply reply_to_status(int status, Headers headers = {}) {
  const Url url = parse_url("bastion.example.com");
  const Response response{.status = status, .headers = std::move(headers), .body = ""};
  return reply_to({.error = explain_refusal(url, response), .status = status});
}

Reply reply_to_error(ErrorKind kind) {
  return reply_to({.error = Error(kind, "failed")});
}

}  // namespace

TEST_CASE("each answer of the edge has its SOCKS5 reply") {
  CHECK(reply_to_status(403) == Reply::not_allowed);
  CHECK(reply_to_status(401) == Reply::not_allowed);
  CHECK(reply_to_status(302,
                        {{"Location", "https://team.cloudflareaccess.com/cdn-cgi/access/login"}}) ==
        Reply::not_allowed);
  CHECK(reply_to_status(302, {{"Location", "https://elsewhere.example/"}}) ==
        Reply::general_failure);
  CHECK(reply_to_status(502) == Reply::connection_refused);
  CHECK(reply_to_status(521) == Reply::connection_refused);
  CHECK(reply_to_status(523) == Reply::host_unreachable);
  CHECK(reply_to_status(530) == Reply::host_unreachable);
  CHECK(reply_to_status(504) == Reply::ttl_expired);
  CHECK(reply_to_status(522) == Reply::ttl_expired);
  CHECK(reply_to_status(524) == Reply::ttl_expired);
  CHECK(reply_to_status(400) == Reply::general_failure);
  CHECK(reply_to_status(200) == Reply::general_failure);
  CHECK(reply_to_status(500) == Reply::general_failure);
}

TEST_CASE("each error without an answer has its SOCKS5 reply") {
  CHECK(reply_to_error(ErrorKind::network) == Reply::network_unreachable);
  CHECK(reply_to({.error = Error::timeout("failed", "")}) == Reply::ttl_expired);
  CHECK(reply_to_error(ErrorKind::refused) == Reply::not_allowed);
  CHECK(reply_to_error(ErrorKind::login_needed) == Reply::not_allowed);
  CHECK(reply_to_error(ErrorKind::protocol) == Reply::general_failure);
  CHECK(reply_to_error(ErrorKind::failed) == Reply::general_failure);
}
