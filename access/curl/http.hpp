// HTTP requests by libcurl: one at a time, bounded, without following redirects.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/core/url.hpp"
#include "access/http1/headers.hpp"
#include "access/tls/connection_options.hpp"
#include "access/tls/handshake.hpp"

namespace mayfly {

struct Request {
  enum class Method { get, head, post } method = Method::get;
  Url url;
  Headers headers;   // see header_line()
  std::string body;  // of a POST
  std::chrono::milliseconds timeout = std::chrono::seconds(10);
  std::size_t max_body = 1 << 20;  // a larger answer is Error(protocol)
  std::string_view purpose = {};  // for the log: "asked HOST for <purpose>"; the path may be secret
  // Called about once a second, sometimes more often, until the answer has arrived.
  std::function<void()> waiting = {};
  // Called when the connection is ready, right before the request goes out on it. What it throws
  // comes out of send(), and then the request does not go out.
  std::function<void()> before_sending = {};
};

struct Response {
  int status = 0;
  Headers headers;  // in the order they came
  std::string body;
  CertificateRequest certificate_request = {};  // of the handshake of this connection
  bool had_service_token = false;               // in the request, which was for a tunnel

  // Returns the time in the Date header, if it has one of the three forms of RFC 9110
  // section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6
  // 08:49:37 1994".
  std::optional<std::chrono::sys_seconds> date() const;
  // Returns the cf-ray, by which an administrator finds the request ("8f1c2a3b4d5e6f70-FRA"), fit
  // to be shown, or "".
  std::string ray() const;
  // Returns "HTTP 403, cf-ray 8f1c2a3b4d5e6f70-FRA".
  std::string reference() const;
  // Returns the last Set-Cookie `name` that a browser would send to `target`, a URL at the host
  // that has answered: its Domain, if any, holds that host (RFC 6265 section 5.1.3), and its Path
  // that path (section 5.1.4). Returns nullopt if there is none. Does not judge the expiry.
  struct Cookie {
    std::string value;
    std::optional<std::chrono::sys_seconds> expires;  // Expires or Max-Age
  };
  std::optional<Cookie> cookie(std::string_view name, const Url& target,
                               std::chrono::sys_seconds now) const;
};

// How identity code reaches the network; tests pass a function of their own. Throws Error(network)
// with cause and hint if no answer came, and Error(login_needed) if interrupted.
using Send = std::function<Response(const Request&)>;

// Keeps connections, TLS sessions and the trust store between requests.
class HttpClient {
 public:
  explicit HttpClient(ConnectionOptions options);
  ~HttpClient();
  Response send(const Request& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mayfly
