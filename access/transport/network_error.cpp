#include "access/transport/network_error.hpp"

#include <fmt/format.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "access/core/text.hpp"

namespace mayfly {
namespace {

using std::chrono::floor;
using std::chrono::seconds;
using std::chrono::system_clock;

struct Failure {
  const CurlHandle& handle;
  CURLcode code;
  std::string where;  // the origin, without "https://"

  std::string cannot_reach(std::string_view why) const {
    return fmt::format("cannot reach {}: {}", where, why);
  }
  // libcurl's own words, or the name of its code.
  std::string detail() const {
    const char* text = handle.detail();
    return *text != '\0' ? printable(text) : std::string(curl_easy_strerror(code));
  }
  long number(CURLINFO info) const {
    long value = 0;
    curl_easy_getinfo(handle.get(), info, &value);
    return value;
  }
  bool reached(CURLINFO stage) const {
    curl_off_t microseconds = 0;
    curl_easy_getinfo(handle.get(), stage, &microseconds);
    return microseconds > 0;
  }
};

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

std::string clock_hint() {
  return fmt::format("this computer's clock says {}; set it if that is wrong",
                     date_text(floor<seconds>(system_clock::now())));
}

Error error_of_connect(const Failure& failure) {
  const long number = failure.number(CURLINFO_OS_ERRNO);
  switch (number) {
    case ECONNREFUSED:
      return {ErrorKind::network, failure.cannot_reach("connection refused"),
              "check the host name and port, and the proxy settings if there is a proxy"};
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
      return {
          ErrorKind::network, failure.cannot_reach("no route to it"),
          "check the network connection; a name that has only IPv6 addresses needs an IPv6 route"};
    case ETIMEDOUT:
    case EINPROGRESS:
      return {ErrorKind::network, failure.cannot_reach("connecting timed out"),
              "check the network connection; a firewall may demand a proxy (--proxy)"};
    case 0:
      return {ErrorKind::network, failure.cannot_reach(failure.detail()),
              "check the network connection"};
    default:
      return {ErrorKind::network, failure.cannot_reach(std::strerror(static_cast<int>(number))),
              "check the network connection"};
  }
}

Error error_of_timeout(const Failure& failure) {
  const auto late = [&](std::string_view stage, std::string hint) {
    return Error(ErrorKind::network, failure.cannot_reach(fmt::format("timed out {}", stage)),
                 std::move(hint));
  };
  if (!failure.reached(CURLINFO_NAMELOOKUP_TIME_T)) {
    return late("looking up the name", "check the network connection and the DNS settings");
  }
  if (!failure.reached(CURLINFO_CONNECT_TIME_T)) {
    return late("connecting",
                "check the network connection; a firewall may demand a proxy (--proxy)");
  }
  if (!failure.reached(CURLINFO_APPCONNECT_TIME_T)) {
    return late("in the TLS handshake", "a proxy or firewall on the way may be holding it up");
  }
  return late("waiting for the answer", "try again; the application may be slow or down");
}

// What the certificate chain was found to lack.
Error error_of_chain(const Failure& failure, const HandshakeReport& report) {
  const CertificateFacts facts =
      report.rejected ? facts_of(report.rejected.get()) : CertificateFacts{};
  const auto untrusted = [&](const std::string& why, std::string hint) {
    return Error(ErrorKind::network, fmt::format("cannot trust {}: {}", failure.where, why),
                 std::move(hint));
  };
  switch (report.verify_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return untrusted(fmt::format("its certificate \"{}\" expired on {}", facts.subject,
                                   date_text(facts.not_after)),
                       clock_hint());
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return untrusted(fmt::format("its certificate \"{}\" is not valid before {}", facts.subject,
                                   date_text(facts.not_before)),
                       clock_hint());
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
    default:
      return untrusted(fmt::format("{} (certificate \"{}\", issued by \"{}\")",
                                   X509_verify_cert_error_string(report.verify_error),
                                   facts.subject, facts.issuer),
                       "somebody may be in between; ask your administrator");
  }
}

Error error_of_trust(const Failure& failure) {
  const HandshakeReport& report = failure.handle.handshake();
  if (report.verify_error != X509_V_OK) return error_of_chain(failure, report);
  if (!report.server) {
    return {ErrorKind::network,
            fmt::format("cannot trust {}: {}", failure.where, failure.detail())};
  }
  // The chain is good, so the name was not.
  const CertificateFacts facts = facts_of(report.server.get());
  return {ErrorKind::network,
          fmt::format("cannot trust {}: its certificate is for {}, issued by \"{}\"", failure.where,
                      facts.names.empty() ? "\"" + facts.subject + "\"" : joined(facts.names),
                      facts.issuer),
          "check the host name; a captive portal or a wrong DNS answer looks like this too"};
}

Error error_of_client_certificate(const Failure& failure) {
  const HandshakeReport& report = failure.handle.handshake();
  if (report.request.sent.empty()) {
    return {ErrorKind::refused,
            fmt::format("{} wants a client certificate: {}", failure.where, report.alert_text()),
            fmt::format("name one with --cert FILE [--key FILE]; {}", report.request.text())};
  }
  return {ErrorKind::refused,
          fmt::format("{} refused the client certificate: {}", failure.where, report.alert_text()),
          report.request.text()};
}

Error error_of_proxy_answer(long status) {
  if (status == 407) {
    return {ErrorKind::network, "the proxy wants a user name and password (407)",
            "give them in the proxy's URL: --proxy http://USER:PASSWORD@HOST:PORT"};
  }
  return {ErrorKind::network, fmt::format("the proxy refused to connect: status {}", status),
          "ask whoever runs the proxy to allow this host, or go around it with NO_PROXY"};
}

// The stream broke during or after the TLS handshake.
Error error_of_stream(const Failure& failure) {
  const HandshakeReport& report = failure.handle.handshake();
  if (report.client_certificate_refused()) return error_of_client_certificate(failure);
  if (const long status = failure.number(CURLINFO_HTTP_CONNECTCODE); status >= 400) {
    return error_of_proxy_answer(status);
  }
  if (report.alert) {
    return {ErrorKind::network,
            fmt::format("cannot reach {}: it ended the TLS handshake: {}", failure.where,
                        report.alert_text()),
            "a proxy or firewall on the way may be in between"};
  }
  if (failure.code == CURLE_GOT_NOTHING) {
    return {ErrorKind::network,
            failure.cannot_reach("the connection was closed before an answer came"), "try again"};
  }
  return {ErrorKind::network, failure.cannot_reach(failure.detail()),
          "the connection was cut; try again"};
}

Error stored_error(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return {ErrorKind::failed, fmt::format("cannot set up TLS: {}", error.what())};
  }
}

}  // namespace

Error network_error(const CurlHandle& handle, CURLcode code, const Url& url) {
  if (const std::exception_ptr thrown = handle.thrown()) return stored_error(thrown);
  const Failure failure{.handle = handle, .code = code, .where = url.authority()};
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {ErrorKind::network,
              failure.cannot_reach(fmt::format("the name {} is not known", url.host)),
              "check the spelling and the network connection; some names need a VPN or a proxy"};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {ErrorKind::network, failure.cannot_reach("the name of the proxy is not known"),
              "check --proxy, HTTPS_PROXY and ALL_PROXY"};
    case CURLE_COULDNT_CONNECT:
      return error_of_connect(failure);
    case CURLE_OPERATION_TIMEDOUT:
      return error_of_timeout(failure);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return error_of_trust(failure);
    case CURLE_PROXY:
      return {ErrorKind::network, failure.cannot_reach(failure.detail()),
              "check --proxy, HTTPS_PROXY and ALL_PROXY"};
    case CURLE_SSL_CACERT_BADFILE:
      return {ErrorKind::usage,
              fmt::format("cannot use the trusted certificates: {}", failure.detail()),
              "check --cacert, SSL_CERT_FILE and SSL_CERT_DIR: PEM certificates are wanted"};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
      return error_of_stream(failure);
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_PARTIAL_FILE:
    case CURLE_BAD_CONTENT_ENCODING:
      return {ErrorKind::protocol,
              fmt::format("cannot understand {}: {}", failure.where, failure.detail())};
    default:
      return {ErrorKind::network, failure.cannot_reach(failure.detail())};
  }
}

}  // namespace mayfly
