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

// Loads libcurl on first use. Throws Error(failed) if that fails.
CurlMulti make_multi();
void append(CurlList& list, const std::string& text);

// Throws Error(failed) if libcurl refuses the option.
template <typename Value>
void set_option(CURL* easy, CURLoption option, Value value);
[[noreturn]] void option_failed(CURLoption option, CURLcode code);

// An easy handle for one origin: trust, proxy, client certificate, overrides, timeouts, https only,
// HTTP/1.1, no redirects. The caller sets the options of one request on get(). Connections refer to
// the handle: destroy a multi that keeps some (all but CONNECT_ONLY) first. CURLOPT_NOSIGNAL is
// set, which saves two system calls for each read and write, so the caller ignores SIGPIPE.
class CurlHandle {
 public:
  // Throws Error(failed) without libcurl, and Error(usage) if the CA file cannot be read.
  CurlHandle(const ConnectionOptions& options, const Url& url);
  CurlHandle(CurlHandle&&) noexcept;
  CurlHandle& operator=(CurlHandle&&) noexcept;
  ~CurlHandle();

  CURL* get() const noexcept;
  const HandshakeReport& handshake() const noexcept;
  const ConnectionOptions& options() const noexcept;
  // Returns the address of the last connection or attempt; "" before the first.
  const std::string& address() const noexcept;
  // Returns libcurl's description of the last failure, or "". It is not printable().
  const char* detail() const noexcept;
  // Returns the exception from setting up the TLS context (an unusable client certificate); libcurl
  // then fails with CURLE_SSL_CERTPROBLEM.
  std::exception_ptr thrown() const noexcept;
  // Forgets the last failure. Call it before the handle is used again.
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
