// HTTP requests by libcurl: one at a time, bounded, no redirect followed.
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
#include "access/tls/certificate_request.hpp"
#include "access/tls/connection_options.hpp"

namespace mayfly {

struct Request {
  enum class Method { get, head, post } method = Method::get;
  Url url;
  Headers headers;   // see header_line()
  std::string body;  // of a POST
  std::chrono::milliseconds timeout = std::chrono::seconds(10);
  std::size_t max_body = 1 << 20;  // a larger answer is Error(protocol)
  std::string_view purpose = {};  // for the log: "asked HOST for <purpose>"; its path may be secret
  // Called about once a second, and now and then in between, until the answer is there.
  std::function<void()> waiting = {};
};

struct Response {
  int status = 0;
  Headers headers;  // in the order they came
  std::string body;
  CertificateRequest certificate_request = {};  // of the handshake of this connection
  bool had_service_token = false;               // the request, which was for a tunnel

  // The Date header (RFC 9110 section 6.6.1). Does without libcurl.
  std::optional<std::chrono::sys_seconds> date() const;
  // By which an administrator finds it: "8f1c2a3b4d5e6f70-FRA", fit to be shown; "" without one.
  std::string ray() const;
  // "HTTP 403, cf-ray 8f1c2a3b4d5e6f70-FRA".
  std::string reference() const;
  // Returns value and expiry of the last Set-Cookie `name` that a browser would send to `target`,
  // which is a URL at the host that has answered: its Domain holds that host (RFC 6265 section
  // 5.1.3) and its Path that path (section 5.1.4). Without these attributes it counts. Returns
  // nullopt when there is none. One that has expired is returned all the same.
  struct Cookie {
    std::string value;
    std::optional<std::chrono::sys_seconds> expires;  // Expires or Max-Age
  };
  std::optional<Cookie> cookie(std::string_view name, const Url& target,
                               std::chrono::sys_seconds now) const;
};

// How identity code reaches the network; tests hand in a function of their own. Throws
// Error(network) when no answer came, with the cause and a hint; Error(login_needed) when
// interrupted.
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
