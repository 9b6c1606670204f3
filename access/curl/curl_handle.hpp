// Owners of libcurl's objects, and an easy handle set up as ConnectionOptions say.
#pragma once

#include <curl/curl.h>

#include <exception>
#include <memory>
#include <string>
#include <type_traits>

#include "access/core/release.hpp"
#include "access/core/url.hpp"
#include "access/tls/connection_options.hpp"
#include "access/tls/handshake.hpp"

namespace mayfly {

using CurlEasy = std::unique_ptr<CURL, Release<curl_easy_cleanup>>;
using CurlMulti = std::unique_ptr<CURLM, Release<curl_multi_cleanup>>;
using CurlList = std::unique_ptr<curl_slist, Release<curl_slist_free_all>>;

// Loads libcurl when it is not yet there; throws Error(failed) when it cannot be.
CurlMulti make_multi();
void append(CurlList& list, const std::string& text);

// Throws Error(failed) when libcurl does not take the option.
template <typename Value>
void set_option(CURL* easy, CURLoption option, Value value);
[[noreturn]] void option_failed(CURLoption option, CURLcode code);

// One easy handle for one origin: trust, proxy, client certificate, overrides, timeouts, https
// only, HTTP/1.1, no redirects. What is particular to a request the caller sets on get(). Its
// connections refer to it: a multi that keeps some (all but CONNECT_ONLY) has to go first.
// CURLOPT_NOSIGNAL is set, which saves two system calls a read or write, so SIGPIPE is the caller's
// to ignore.
class CurlHandle {
 public:
  // Throws Error(failed) without libcurl, Error(usage) for a CA file that cannot be read.
  CurlHandle(const ConnectionOptions& options, const Url& url);
  CurlHandle(CurlHandle&&) noexcept;
  CurlHandle& operator=(CurlHandle&&) noexcept;
  ~CurlHandle();

  CURL* get() const noexcept;
  const HandshakeReport& handshake() const noexcept;
  const ConnectionOptions& options() const noexcept;
  // That was connected to last, or tried; "" before.
  const std::string& address() const noexcept;
  // libcurl's own words about the last failure; "" when it had none. Not printable().
  const char* detail() const noexcept;
  // What was thrown while the TLS context was set up (the client certificate could not be used);
  // libcurl then fails with CURLE_SSL_CERTPROBLEM.
  std::exception_ptr thrown() const noexcept;
  // Before a handle is used again: what is known of the last failure must not explain the next.
  void forget_failure() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

template <typename Value>
void set_option(CURL* easy, CURLoption option, Value value) {
  static_assert(
      std::is_pointer_v<Value> || std::is_same_v<Value, long> || std::is_same_v<Value, curl_off_t>,
      "libcurl takes long, curl_off_t or a pointer");
  if (const CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK) {
    option_failed(option, code);
  }
}

}  // namespace mayfly
