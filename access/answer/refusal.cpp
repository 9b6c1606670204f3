#include "access/answer/refusal.hpp"

#include <fmt/core.h>

#include <array>
#include <optional>

#include "access/answer/login.hpp"
#include "access/answer/machine.hpp"
#include "access/answer/marks.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

struct Reading {
  ErrorKind kind;
  std::string cause, cure;
};

// Returns whether an error page has this error number: "error code: 1033" or "Error 1033".
bool names_error(const Response& response, std::string_view number) {
  const std::string body = to_lower(response.body);
  for (const std::string_view before : {"error code: ", "error code ", "error ", "error-code\">"}) {
    if (body.find(std::string(before).append(number)) != std::string::npos) return true;
  }
  return false;
}

// The server asked for a client certificate, so the one that it got, or none, is the likely reason.
Reading read_certificate_refusal(const Response& response) {
  const CertificateRequest& request = response.certificate_request;
  return {ErrorKind::refused, "access is forbidden; " + request.text(),
          request.sent.empty()
              ? "name the client certificate with --cert FILE [--key FILE]"
              : "the application needs a policy that includes the certificate, and its CA must be "
                "associated with the hostname"};
}

// nginx has such pages for a certificate that is missing or does not verify.
bool blames_certificate(const Response& response) {
  return response.body.find("SSL certificate") != std::string::npos;
}

bool is_page_of_access(const Response& response) {
  return response.body.find("Cloudflare Access") != std::string::npos ||
         response.body.find("cloudflareaccess.com") != std::string::npos;
}

// Custom rules have pages with an error number, managed rules have pages without.
std::optional<std::string> blocking_rule(const Response& response) {
  for (const std::string_view number : {"1020", "1006", "1007", "1008", "1009", "1010", "1015"}) {
    if (names_error(response, number)) return fmt::format(" (error {})", number);
  }
  if (to_lower(response.body).find("you have been blocked") != std::string::npos) return "";
  return std::nullopt;
}

Reading read_forbidden_by_access(const Response& response) {
  if (response.had_service_token)
    return {ErrorKind::refused, "the service token was not accepted",
            service_token_cure(response.status)};
  // A logout from the application alone would keep the org token, and with it the person.
  return {ErrorKind::refused, "a policy of Access does not let you in",
          "ask the administrator, who finds the reason by the cf-ray in the Access log; to log in "
          "as somebody else: mayfly logout --all, and sign out in the browser"};
}

bool is_challenge(const Response& response) {
  return equals_ignoring_case(response.headers.find("cf-mitigated"), "challenge");
}

Reading read_forbidden(const Url& url, const Response& response) {
  if (const auto rule = blocking_rule(response))
    return {ErrorKind::refused, fmt::format("a firewall rule of the zone blocks it{}", *rule),
            "an administrator finds the rule by the cf-ray under Security, Events"};
  if (response.certificate_request.asked) return read_certificate_refusal(response);
  if (is_page_of_access(response) || is_refusal_of_access(url, response.status, response.headers))
    return read_forbidden_by_access(response);
  if (response.had_service_token)
    return {ErrorKind::refused, "the service token was not accepted, or the origin forbids it",
            service_token_cure(response.status)};
  return {ErrorKind::refused, "Access or the firewall forbids it",
          "the policy may exclude you, want a client certificate (--cert) or a service token, or a "
          "WAF rule blocks it: an administrator can look up the cf-ray"};
}

Reading read_login_again(const Response& response) {
  if (response.had_service_token)
    return {ErrorKind::refused, "the service token was not accepted",
            service_token_cure(response.status)};
  return {
      ErrorKind::refused, "the edge does not accept a fresh token and asks for a login again",
      "an administrator can turn off Binding Cookie for this application; or its policy changed, "
      "or this computer's clock is wrong"};
}

Reading read_unauthorized(const Url& url, const Response& response) {
  if (has_login_challenge(url, response.status, response.headers))
    return read_login_again(response);
  if (is_refusal_of_access(url, response.status, response.headers))
    return read_forbidden_by_access(response);
  if (response.had_service_token)
    return {ErrorKind::refused,
            "the service token was not accepted, or the origin wants credentials of its own",
            service_token_cure(response.status)};
  return {ErrorKind::refused, "it wants credentials that were not given",
          "an administrator can tell which; a service token goes with --service-token-id"};
}

Reading read_redirect(const Url& url, const Response& response, const TeamOf& team) {
  if (wants_login(url, response.status, response.headers, team)) return read_login_again(response);
  return {
      ErrorKind::protocol,
      "it redirects elsewhere, as a web site does: no tunnel answers at this host and path",
      "check the hostname; a page rule or the origin itself may redirect, and the zone's SSL mode "
      "\"off\" or \"flexible\" makes loops"};
}

Reading read_unreachable(const Response& response) {
  if (names_error(response, "1033"))
    return {ErrorKind::network, "no tunnel is connected for this hostname (error 1033)",
            "start cloudflared at the server's side and check that the DNS record belongs to its "
            "tunnel"};
  return {ErrorKind::network, "Cloudflare cannot find the way to the origin (error 530)",
          "check the tunnel and the DNS record of this hostname"};
}

Reading read_server_error(const Response& response) {
  switch (response.status) {
    case 502:
      return {ErrorKind::network, "the tunnel is up, but cannot reach the service behind it",
              "check that the service runs and that the tunnel's configuration names it (ssh://, "
              "tcp://); a bastion needs --destination"};
    case 503:
    case 504:
      return {ErrorKind::network, "the origin is overloaded, down or slow",
              "try again; check the service behind the tunnel"};
    case 521:
    case 522:
    case 523:
    case 524:
      return {ErrorKind::network, "Cloudflare cannot connect to the origin server",
              "check the origin, its firewall and the DNS record of this hostname"};
    case 525:
    case 526:
      return {ErrorKind::network, "Cloudflare cannot speak TLS with the origin server",
              "check the zone's SSL/TLS mode and the origin's certificate"};
    case 530:
      return read_unreachable(response);
    default:
      return {ErrorKind::network, "a server on the way failed", "try again later"};
  }
}

Reading read(const Url& url, const Response& response, const TeamOf& team) {
  if (is_challenge(response))
    return {
        ErrorKind::refused, "a bot challenge was sent, which only a browser can answer",
        "an administrator can exempt this hostname from Bot Fight Mode and challenges (WAF, skip "
        "rule)"};
  if (response.status >= 500) return read_server_error(response);
  switch (response.status) {
    case 401:
      return read_unauthorized(url, response);
    case 403:
      return read_forbidden(url, response);
    case 400:
      if (blames_certificate(response)) return read_certificate_refusal(response);
      [[fallthrough]];
    case 426:
      return {ErrorKind::protocol, "the WebSocket upgrade did not arrive there, or it is a bastion",
              "a bastion needs --destination HOST:PORT; else switch WebSockets on for the zone "
              "(Network), and check for a proxy on the way that drops them"};
    case 404:
      return {ErrorKind::protocol, "nothing is configured at this host and path",
              "check the hostname, and the tunnel's ingress rules for it"};
    case 429:
      return {ErrorKind::network, "too many connections in a short time", "try again in a minute"};
    default:
      break;
  }
  if (response.status >= 300 && response.status < 400) return read_redirect(url, response, team);
  if (response.status < 300)
    return {
        ErrorKind::protocol, "it serves plain HTTP instead of a tunnel",
        "check the hostname and that the zone has WebSockets on (Network); the tunnel's service "
        "may be http:// where ssh:// or tcp:// is wanted"};
  return {ErrorKind::protocol, "it is not the answer of a tunnel", "check the hostname"};
}

Error explain(std::string_view failed, const Url& url, const Response& response,
              const TeamOf& team) {
  const Reading reading = read(url, response, team);
  std::string facts = fmt::format("status {}", response.status);
  // The query of a Location may hold signed state, so it is left out.
  if (const std::string_view location = response.headers.find("Location"); !location.empty())
    facts += fmt::format(", location {}", printable(location.substr(0, location.find('?'))));
  if (const std::string ray = response.ray(); !ray.empty()) facts += ", cf-ray " + ray;
  return {reading.kind, fmt::format("{}: {} ({})", failed, reading.cause, facts), reading.cure};
}

}  // namespace

Error explain_refusal(const Url& url, const Response& response, const TeamOf& team) {
  return explain(fmt::format("cannot open a tunnel to {}", url.authority()), url, response, team);
}

bool may_change_with_headers(const Url& url, const Response& response, const TeamOf& team) {
  if (response.had_service_token && (response.status == 401 || response.status == 403)) return true;
  return wants_login(url, response.status, response.headers, team);
}

Error logged_out(const Url& url) {
  return {
      ErrorKind::login_needed,
      fmt::format("a login to {} is needed: you logged out after this command began", url.host),
      fmt::format("run: mayfly access login {}", pasted_word(printable(url.origin() + url.path)))};
}

bool turns_metadata_question_away(const Response& response) {
  return is_challenge(response) || response.status == 403 || response.status == 429 ||
         response.status >= 500;
}

Error no_application(const Url& url, const Response& response) {
  if (turns_metadata_question_away(response))
    return explain(fmt::format("cannot ask which application {} is", url.authority()), url,
                   response, team_unknown);
  return {ErrorKind::failed,
          fmt::format("there is no Access application at {} ({})", printable(url.text()),
                      response.reference()),
          "check the host name and the path; whatever Access does not protect needs no login"};
}

}  // namespace mayfly
