// Each refusal names status, cf-ray, location, cause and cure, and has its kind.
#include "access/answer/refusal.hpp"

#include <doctest/doctest.h>

using namespace mayfly;

namespace {

const Url url{.host = "vm.example.com", .port = 443, .path = "", .query = ""};

Response answer(int status, Headers headers = {}, std::string body = {}) {
  Response response;
  response.status = status;
  response.headers = std::move(headers);
  response.body = std::move(body);
  return response;
}

Response asked_for_certificate(int status, std::string sent, std::string body) {
  Response response = answer(status, {}, std::move(body));
  response.certificate_request = {
      .asked = true, .sent = std::move(sent), .acceptable_issuers = {"CN=root"}};
  return response;
}

Response with_service_token(int status) {
  Response response = answer(status);
  response.had_service_token = true;
  return response;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every kind of refusal is explained") {
  struct Case {
    Response response;
    ErrorKind kind;
    const char* cause;
    const char* cure;
  };
  const Case cases[] = {
      {answer(302, {{"Location",
                     "https://team.cloudflareaccess.com/cdn-cgi/access/login/x?kid=secret"}}),
       ErrorKind::refused, "does not accept a fresh token", "Binding Cookie"},
      {answer(301, {{"Location", "https://www.example.com/"}}), ErrorKind::protocol,
       "redirects elsewhere", "SSL mode"},
      {answer(200), ErrorKind::protocol, "plain HTTP", "WebSockets on"},
      {answer(400), ErrorKind::protocol, "upgrade did not arrive", "WebSockets on"},
      {answer(401), ErrorKind::refused, "credentials", "service token"},
      {answer(403), ErrorKind::refused, "forbids", "--cert"},
      {asked_for_certificate(403, "", ""), ErrorKind::refused, "CN=root", "--cert"},
      {asked_for_certificate(403, "CN=device", ""), ErrorKind::refused, "CN=device", "hostname"},
      {asked_for_certificate(400, "", "No required SSL certificate was sent"), ErrorKind::refused,
       "none was sent", "--cert"},
      {answer(403, {{"cf-mitigated", "challenge"}}), ErrorKind::refused, "bot challenge",
       "Bot Fight Mode"},
      {answer(403, {}, "error code: 1020"), ErrorKind::refused, "firewall rule", "Security"},
      {answer(403, {}, "<h1>Sorry, you have been blocked</h1>"), ErrorKind::refused,
       "firewall rule", "Security"},
      {answer(403, {}, "<title>Forbidden ・ Cloudflare Access</title>"), ErrorKind::refused,
       "policy of Access", "mayfly logout --all"},
      {with_service_token(403), ErrorKind::refused, "service token", "Service Auth"},
      {answer(404), ErrorKind::protocol, "nothing is configured", "ingress"},
      {answer(418), ErrorKind::protocol, "not the answer of a tunnel", "hostname"},
      {answer(429), ErrorKind::network, "too many", "again"},
      {answer(500), ErrorKind::network, "failed", "later"},
      {answer(502), ErrorKind::network, "cannot reach the service", "--destination"},
      {answer(503), ErrorKind::network, "overloaded", "again"},
      {answer(522), ErrorKind::network, "cannot connect to the origin", "firewall"},
      {answer(526), ErrorKind::network, "TLS with the origin", "SSL/TLS mode"},
      {answer(530), ErrorKind::network, "error 530", "DNS"},
      {answer(530, {}, "<h1>Error 1033</h1>"), ErrorKind::network, "no tunnel is connected",
       "start cloudflared"},
  };
  for (Case one : cases) {
    one.response.headers.add("CF-Ray", "8f00-AMS\x1b[2J");
    const Error error = explain_refusal(url, one.response);
    CAPTURE(error.message());
    CAPTURE(error.hint());
    CHECK(error.kind() == one.kind);
    CHECK(contains(error.message(), "vm.example.com"));
    CHECK(contains(error.message(), "status " + std::to_string(one.response.status)));
    CHECK(contains(error.message(), "cf-ray 8f00-AMS\\x1b[2J"));
    CHECK(contains(error.message(), one.cause));
    CHECK(contains(error.hint(), one.cure));
    CHECK_FALSE(contains(error.message(), "secret"));
  }
}

TEST_CASE("an answer without metadata that turns the question away is explained") {
  struct Case {
    Response response;
    ErrorKind kind;
    const char* cause;
  };
  const Case cases[] = {
      {answer(403), ErrorKind::refused, "Access or the firewall forbids it"},
      {answer(403, {{"cf-mitigated", "challenge"}}), ErrorKind::refused, "bot challenge"},
      {answer(503, {{"cf-mitigated", "challenge"}}), ErrorKind::refused, "bot challenge"},
      {answer(429), ErrorKind::network, "too many"},
      {answer(502), ErrorKind::network, "cannot reach the service"},
      {answer(530), ErrorKind::network, "error 530"},
  };
  for (Case one : cases) {
    one.response.headers.add("CF-Ray", "8f00-AMS");
    const Error error = no_application(url, one.response);
    CAPTURE(error.message());
    CHECK(error.kind() == one.kind);
    CHECK(contains(error.message(), "cannot ask which application vm.example.com is: "));
    CHECK(contains(error.message(), one.cause));
    CHECK(contains(error.message(), "cf-ray 8f00-AMS"));
    CHECK_FALSE(error.hint().empty());
  }
}

TEST_CASE("an answer without metadata is otherwise of no application") {
  for (const int status : {200, 204, 301, 302, 400, 401, 404, 418})
    CHECK(contains(no_application(url, answer(status)).message(),
                   "there is no Access application at https://vm.example.com"));
}
