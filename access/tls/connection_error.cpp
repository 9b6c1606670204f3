#include "access/tls/connection_error.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <openssl/x509_vfy.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "access/core/clock.hpp"
#include "access/core/edge_clock.hpp"

namespace mayfly {
namespace {

std::string cannot_reach(std::string_view where, std::string_view why) {
  return fmt::format("cannot reach {}: {}", where, why);
}

// The time of such a server is not trusted, so another server's time says whose clock is wrong.
std::string hint_about_dates(std::string_view where, std::string_view remedy) {
  return clock_hint(
      fmt::format("this computer's clock is right: the server's administrator has to {}", remedy),
      fmt::format("if that is right, the server's administrator has to {}; to look closer, run: "
                  "mayfly doctor {}",
                  remedy, where));
}

// Returns the error for a certificate chain that failed verification.
Error error_of_chain(std::string_view where, const HandshakeReport& report) {
  const CertificateFacts facts =
      report.rejected ? facts_of(report.rejected.get()) : CertificateFacts{};
  const auto untrusted = [&](const std::string& why, std::string hint) {
    return Error(ErrorKind::network, fmt::format("cannot trust {}: {}", where, why),
                 std::move(hint));
  };
  switch (report.verify_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return untrusted(fmt::format("its certificate \"{}\" expired on {}", facts.subject,
                                   utc_text(facts.not_after)),
                       hint_about_dates(where, "renew the certificate"));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return untrusted(fmt::format("its certificate \"{}\" is not valid before {}", facts.subject,
                                   utc_text(facts.not_before)),
                       hint_about_dates(where, "replace the certificate"));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return untrusted(
          fmt::format("its certificate was issued by \"{}\", which is not trusted here",
                      facts.issuer),
          "if that is your organisation's TLS inspection or private CA, name its certificate with "
          "--cacert FILE or SSL_CERT_FILE");
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return wrong_name_error(where, report);
    default:
      return untrusted(fmt::format("{} (certificate \"{}\", issued by \"{}\")",
                                   X509_verify_cert_error_string(report.verify_error),
                                   facts.subject, facts.issuer),
                       "the connection may be intercepted; ask your administrator");
  }
}

Error error_of_client_certificate(std::string_view where, const HandshakeReport& report) {
  if (report.request.sent.empty()) {
    return {ErrorKind::refused,
            fmt::format("{} wants a client certificate: {}", where, report.alert_text()),
            fmt::format("name one with --cert FILE [--key FILE]; {}", report.request.text())};
  }
  return {ErrorKind::refused,
          fmt::format("{} refused the client certificate: {}", where, report.alert_text()),
          report.request.text()};
}

Error no_route_error(std::string_view where, std::string_view address) {
  if (address.find(':') == std::string_view::npos)
    return {
        ErrorKind::network, cannot_reach(where, "no route to it"),
        "check the network connection; a name that has only IPv6 addresses needs an IPv6 route"};
  return {ErrorKind::network,
          cannot_reach(where, fmt::format("no route to it by IPv6 ({})", address)),
          "the name has no IPv4 address that answers, and this network no IPv6: use another "
          "network, or a proxy that has it (--proxy)"};
}

}  // namespace

Error unknown_name_error(std::string_view where, std::string_view host) {
  return {ErrorKind::network, cannot_reach(where, fmt::format("the name {} is not known", host)),
          "check the spelling and the network connection; some names need a VPN or a proxy"};
}

Error connect_error(std::string_view where, int error_number, const ConnectFailure& failure) {
  switch (error_number) {
    case ECONNREFUSED:
      return {ErrorKind::network, cannot_reach(where, "connection refused"),
              "check the host name and port, and the proxy settings if there is a proxy"};
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
      return no_route_error(where, failure.address);
    case ETIMEDOUT:
    case EINPROGRESS:
      return {ErrorKind::network, cannot_reach(where, "connecting timed out"),
              "check the network connection; a firewall may demand a proxy (--proxy)"};
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:  // this computer's fault, not the network's
      return system_error(fmt::format("cannot reach {}", where), error_number);
    case 0:
      return {ErrorKind::network, cannot_reach(where, failure.otherwise),
              "check the network connection"};
    default:
      return {ErrorKind::network, cannot_reach(where, std::strerror(error_number)),
              "check the network connection"};
  }
}

std::optional<Error> trust_error(std::string_view where, const HandshakeReport& report) {
  if (report.verify_error == X509_V_OK) return std::nullopt;
  return error_of_chain(where, report);
}

std::optional<Error> alert_error(std::string_view where, const HandshakeReport& report) {
  if (report.client_certificate_refused()) return error_of_client_certificate(where, report);
  if (!report.alert) return std::nullopt;
  return Error(
      ErrorKind::network,
      fmt::format("cannot reach {}: it ended the TLS handshake: {}", where, report.alert_text()),
      "a proxy or firewall on the way may be in between");
}

Error wrong_name_error(std::string_view where, const HandshakeReport& report) {
  const CertificateFacts facts = facts_of(report.server.get());
  return {ErrorKind::network,
          fmt::format("cannot trust {}: its certificate is for {}, issued by \"{}\"", where,
                      facts.names.empty() ? fmt::format("\"{}\"", facts.subject)
                                          : fmt::format("{}", fmt::join(facts.names, ", ")),
                      facts.issuer),
          "check the host name; a captive portal or a wrong DNS answer looks like this too"};
}

}  // namespace mayfly
