// The replies of RFC 1928 section 6 for what the edge and the network answer.
#include "access/listen/socks_refusal.hpp"

#include <doctest/doctest.h>

#include "access/answer/refusal.hpp"

using namespace mayfly;
using socks::Reply;

namespace {

Reply reply_to_status(int status, Headers headers = {}) {
  const Url url = parse_url("bastion.example.com");
  const Response response{.status = status, .headers = std::move(headers), .body = ""};
  return socks_reply_to({.error = explain_refusal(url, response), .status = status});
}

Reply reply_to_error(ErrorKind kind) {
  return socks_reply_to({.error = Error(kind, "failed")});
}

}  // namespace

TEST_CASE("an answer of the edge becomes a SOCKS5 reply") {
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

TEST_CASE("so does what kept an answer from coming") {
  CHECK(reply_to_error(ErrorKind::network) == Reply::network_unreachable);
  CHECK(socks_reply_to({.error = Error::timeout("failed", "")}) == Reply::ttl_expired);
  CHECK(reply_to_error(ErrorKind::refused) == Reply::not_allowed);
  CHECK(reply_to_error(ErrorKind::login_needed) == Reply::not_allowed);
  CHECK(reply_to_error(ErrorKind::protocol) == Reply::general_failure);
  CHECK(reply_to_error(ErrorKind::failed) == Reply::general_failure);
}
