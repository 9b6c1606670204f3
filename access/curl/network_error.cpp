#include "access/curl/network_error.hpp"

#include <fmt/core.h>

#include "access/core/text.hpp"
#include "access/curl/proxy_choice.hpp"
#include "access/system/descriptor.hpp"
#include "access/tls/connection_error.hpp"

namespace mayfly {
namespace {

struct Failure {
  const CurlHandle& handle;
  CURLcode code;
  std::string where;  // the origin, without "https://"

  std::string cannot_reach(std::string_view why) const {
    return fmt::format("cannot reach {}: {}", where, why);
  }
  // Returns libcurl's description, or the name of its code, without a full stop.
  std::string detail() const {
    const char* own = handle.detail();
    std::string text = *own != '\0' ? printable(own) : std::string(curl_easy_strerror(code));
    if (text.ends_with('.')) text.pop_back();
    return text;
  }
  std::string proxy() const { return shown_proxy(proxy_choice(handle.options()).url); }
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

Error error_of_timeout(const Failure& failure) {
  const auto late = [&](std::string_view stage, std::string hint) {
    return Error(ErrorKind::network, failure.cannot_reach(fmt::format("timed out {}", stage)),
                 std::move(hint));
  };
  if (!failure.reached(CURLINFO_NAMELOOKUP_TIME_T)) {
    return late("looking up the name", "check the network connection and the DNS settings");
  }
  if (!failure.handle.handshake().begun && !failure.reached(CURLINFO_CONNECT_TIME_T)) {
    return late("connecting",
                "check the network connection; a firewall may demand a proxy (--proxy)");
  }
  if (!failure.reached(CURLINFO_APPCONNECT_TIME_T)) {
    return late("in the TLS handshake", "a proxy or firewall on the way may be holding it up");
  }
  return late("waiting for the answer", "try again; the application may be slow or down");
}

Error error_of_trust(const Failure& failure) {
  const HandshakeReport& report = failure.handle.handshake();
  if (const auto error = trust_error(failure.where, report)) return *error;
  // The chain is good, so the name is wrong.
  if (report.server) return wrong_name_error(failure.where, report);
  return {ErrorKind::network, fmt::format("cannot trust {}: {}", failure.where, failure.detail())};
}

// The proxy asks for a login that libcurl had nothing for, or refused it.
Error error_of_proxy_login(const Failure& failure) {
  const bool has_password = has_user(proxy_choice(failure.handle.options()).url);
  const long offered = failure.number(CURLINFO_PROXYAUTH_AVAIL);
  const bool wants_ticket = (offered & static_cast<long>(CURLAUTH_NEGOTIATE)) != 0;
  constexpr auto by_password = static_cast<long>(CURLAUTH_BASIC | CURLAUTH_DIGEST | CURLAUTH_NTLM);
  const bool wants_password = (offered & by_password) != 0 || !wants_ticket;
  const auto error = [&](const char* what, const char* hint) {
    return Error(ErrorKind::network, fmt::format("the proxy {} {} (407)", failure.proxy(), what),
                 hint);
  };
  if (has_password && wants_password)
    return error("does not accept the user name and password",
                 "check them in --proxy, HTTPS_PROXY or ALL_PROXY");
  if (wants_ticket && has_password)
    return error("wants a Kerberos ticket",
                 "run kinit, and take user name and password out of the proxy's URL");
  if (wants_ticket && wants_password)
    return error("wants a Kerberos ticket, or a user name and password",
                 "run kinit, or give them: --proxy http://USER:PASSWORD@HOST:PORT");
  if (wants_ticket)
    return error("wants a Kerberos ticket",
                 "run kinit; klist shows your tickets, which are for the proxy's host name");
  return error("wants a user name and password",
               "give them in the proxy's URL: --proxy http://USER:PASSWORD@HOST:PORT");
}

Error error_of_proxy_answer(const Failure& failure, long status) {
  if (status == 407) return error_of_proxy_login(failure);
  return {ErrorKind::network,
          fmt::format("the proxy {} refused to connect: status {}", failure.proxy(), status),
          "ask whoever runs the proxy to allow this host, or go around it with NO_PROXY"};
}

// The stream broke during or after the TLS handshake.
Error error_of_stream(const Failure& failure) {
  const HandshakeReport& report = failure.handle.handshake();
  if (report.client_certificate_refused()) return *alert_error(failure.where, report);
  if (const long status = failure.number(CURLINFO_HTTP_CONNECTCODE); status >= 400) {
    return error_of_proxy_answer(failure, status);
  }
  if (const auto error = alert_error(failure.where, report)) return *error;
  if (failure.code == CURLE_GOT_NOTHING) {
    return {ErrorKind::network,
            failure.cannot_reach("the connection was closed before an answer came"), "try again"};
  }
  return {ErrorKind::network, failure.cannot_reach(failure.detail()),
          "the connection was cut; try again"};
}

// libcurl's description quotes the proxy's URL, which may hold a password.
std::optional<Error> error_of_proxy_url(const CurlHandle& handle, const Url& url) {
  const std::string_view own = handle.detail();
  if (!own.starts_with("Unsupported proxy")) return std::nullopt;
  const bool is_scheme = own.starts_with("Unsupported proxy scheme");
  return Error(ErrorKind::network,
               fmt::format("cannot reach {}: the URL of the proxy {}", url.authority(),
                           is_scheme ? "has a scheme that is not known" : "cannot be read"),
               "check --proxy, HTTPS_PROXY and ALL_PROXY: http://[USER:PASSWORD@]HOST:PORT");
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

// Returns the URL of the proxy that the request went through and its source, or "" for no proxy.
std::string proxy_of(const CurlHandle& handle, const Url& url) {
  const ProxyChoice proxy = proxy_choice(handle.options());
  if (proxy.url.empty() || is_exempt_from_proxy(handle.options(), url)) return {};
  return fmt::format("{} (named by {})", shown_proxy(proxy.url), proxy.named_by);
}

std::string blank_before(const std::string& text) {
  return text.empty() ? text : " " + text;
}

Error error_of_proxy(const Failure& failure, const std::string& proxy) {
  const auto reason = static_cast<int>(failure.number(CURLINFO_OS_ERRNO));
  const Error plain = connect_error(failure.where, reason, {.otherwise = failure.detail()});
  const auto why = plain.message().substr(plain.message().find(": ") + 2);
  return {ErrorKind::network, failure.cannot_reach(fmt::format("the proxy {}: {}", proxy, why)),
          "check --proxy, HTTPS_PROXY and ALL_PROXY, or go around the proxy with NO_PROXY"};
}

// libcurl has no code for it.
bool may_lack_descriptor(CURLcode code) {
  return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
         code == CURLE_COULDNT_CONNECT || code == CURLE_FAILED_INIT || code == CURLE_OUT_OF_MEMORY;
}

}  // namespace

Error network_error(const CurlHandle& handle, CURLcode code, const Url& url) {
  if (const std::exception_ptr thrown = handle.thrown()) return stored_error(thrown);
  if (const auto error = error_of_proxy_url(handle, url)) return *error;
  const Failure failure{.handle = handle, .code = code, .where = url.authority()};
  if (const int shortage = may_lack_descriptor(code) ? descriptor_shortage() : 0; shortage != 0)
    return system_error(fmt::format("cannot reach {}", failure.where), shortage);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return unknown_name_error(failure.where, url.host);
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {ErrorKind::network,
              failure.cannot_reach("the name of the proxy" + blank_before(proxy_of(handle, url)) +
                                   " is not known"),
              "check --proxy, HTTPS_PROXY and ALL_PROXY"};
    case CURLE_COULDNT_CONNECT:
      if (const std::string proxy = proxy_of(handle, url); !proxy.empty())
        return error_of_proxy(failure, proxy);
      return connect_error(failure.where, static_cast<int>(failure.number(CURLINFO_OS_ERRNO)),
                           {.otherwise = failure.detail(), .address = failure.handle.address()});
    case CURLE_OPERATION_TIMEDOUT:
      return error_of_timeout(failure);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return error_of_trust(failure);
    case CURLE_PROXY:
      return {ErrorKind::network,
              failure.cannot_reach(fmt::format(
                  "the proxy{}: {}", blank_before(proxy_of(handle, url)), failure.detail())),
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
    case CURLE_PARTIAL_FILE:
      // Not kind network: a poll for an answer that is given only once must not go on.
      return {ErrorKind::protocol,
              fmt::format("cannot use the answer of {}: {}", failure.where, failure.detail()),
              "the connection was cut in the midst of it; try again"};
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
      return {ErrorKind::protocol,
              fmt::format("cannot understand {}: {}", failure.where, failure.detail())};
    default:
      return {ErrorKind::network, failure.cannot_reach(failure.detail())};
  }
}

}  // namespace mayfly
