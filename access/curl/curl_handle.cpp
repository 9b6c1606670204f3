#include "access/curl/curl_handle.hpp"

#include <fmt/core.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "access/core/error.hpp"
#include "access/curl/proxy_choice.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/wiping_memory.hpp"
#include "access/tls/client_certificate.hpp"
#include "access/tls/key_exchange.hpp"
#include "access/tls/trust.hpp"

namespace mayfly {
namespace {

void load_libcurl() {
  static const CURLcode loaded = curl_global_init_mem(CURL_GLOBAL_DEFAULT, std::malloc, wiping_free,
                                                      wiping_realloc, ::strdup, std::calloc);
  if (loaded != CURLE_OK) {
    throw Error(ErrorKind::failed,
                fmt::format("cannot use libcurl: {}", curl_easy_strerror(loaded)));
  }
}

CurlEasy make_easy() {
  load_libcurl();
  CurlEasy easy(curl_easy_init());
  if (!easy) throw Error(ErrorKind::failed, "cannot use libcurl: no handle to be had");
  return easy;
}

// libcurl passes the TLS contexts of an https proxy and of the server through one callback that
// does not tell them apart; even the names may be the same. So the proxy's is marked: both offer
// TLS 1.2 and 1.3, but only the proxy's has an explicit maximum (SSL_CTX_get_max_proto_version).
// CURL_SSLVERSION_MAX_TLSv1_3 is spelled out, since g++ warns of its conversion.
constexpr long proxy_versions = long{CURL_SSLVERSION_TLSv1_2} | long{CURL_SSLVERSION_TLSv1_3} << 16;

bool is_for_proxy(SSL_CTX* context) {
  return SSL_CTX_get_max_proto_version(context) == TLS1_3_VERSION;
}

const char* null_when_empty(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

void set_trust(CURL* easy, const ConnectionOptions& options) {
  if (options.verify == ConnectionOptions::Verify::no) {
    set_option(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    set_option(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    return;
  }
  set_option(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set_option(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  const Trust trust = trust_of(options);
  if (trust.file.empty() && trust.directory.empty()) return;
  // Null removes libcurl's built-in default.
  set_option(easy, CURLOPT_CAINFO, null_when_empty(trust.file));
  set_option(easy, CURLOPT_CAPATH, null_when_empty(trust.directory));
  set_option(easy, CURLOPT_PROXY_CAINFO, null_when_empty(trust.file));
  set_option(easy, CURLOPT_PROXY_CAPATH, null_when_empty(trust.directory));
}

void set_protocol(CURL* easy, const ConnectionOptions& options) {
  set_option(easy, CURLOPT_PROTOCOLS_STR, "https");
  set_option(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
  set_option(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set_option(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set_option(easy, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  set_option(easy, CURLOPT_PROXY_SSLVERSION, proxy_versions);
  set_option(easy, CURLOPT_NETRC, long{CURL_NETRC_IGNORED});
  set_option(easy, CURLOPT_NOSIGNAL, 1L);
  set_option(easy, CURLOPT_QUICK_EXIT,
             1L);  // leaves a name look-up behind instead of waiting for it
  set_option(easy, CURLOPT_PATH_AS_IS, 1L);
  set_option(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set_option(easy, CURLOPT_CONNECTTIMEOUT_MS, long{options.connect_timeout.count()});
  if (!options.user_agent.empty()) {
    set_option(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  }
}

// How to log in at a proxy, which libcurl does only when the proxy asks for it, as browsers do (RFC
// 9110 section 11.7). It takes the best scheme that the proxy offers for a password; without one,
// the Kerberos ticket of the person. libcurl wants an empty user name for that one.
void set_proxy_login(CURL* easy, const std::string& proxy) {
  if (is_socks(proxy)) return;
  if (has_user(proxy))
    return set_option(easy, CURLOPT_PROXYAUTH,
                      static_cast<long>(CURLAUTH_BASIC | CURLAUTH_DIGEST | CURLAUTH_NTLM));
  // A libcurl without GSSAPI refuses this option. The proxy's 407 then says what is missing.
  if (curl_easy_setopt(easy, CURLOPT_PROXYAUTH,
                       static_cast<long>(CURLAUTH_ONLY | CURLAUTH_NEGOTIATE)) == CURLE_OK)
    set_option(easy, CURLOPT_PROXYUSERPWD, ":");
}

// libcurl would read the variables itself, but not every form that is in use.
void set_proxy(CURL* easy, const ConnectionOptions& options) {
  const std::string proxy = proxy_choice(options).url;
  if (proxy.empty()) return;
  set_option(easy, CURLOPT_PROXY, proxy.c_str());
  set_proxy_login(easy, proxy);
}

CurlList list_of(const std::vector<std::string>& texts) {
  CurlList list;
  for (const std::string& text : texts) append(list, text);
  return list;
}

}  // namespace

CurlMulti make_multi() {
  load_libcurl();
  CurlMulti multi(curl_multi_init());
  if (!multi) throw Error(ErrorKind::failed, "cannot use libcurl: no multi handle to be had");
  return multi;
}

void append(CurlList& list, const std::string& text) {
  curl_slist* longer = curl_slist_append(list.get(), text.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  static_cast<void>(list.release());
  list.reset(longer);
}

void option_failed(CURLoption option, CURLcode code) {
  throw Error(ErrorKind::failed, fmt::format("libcurl does not take option {}: {}",
                                             static_cast<int>(option), curl_easy_strerror(code)));
}

struct CurlHandle::State {
  ConnectionOptions options;
  std::string host;
  const ClientCertificate* certificate = nullptr;  // of options; nullptr when it is for others
  CurlList connect_to;
  CurlList resolve;
  HandshakeReport report;
  std::string address;
  std::exception_ptr thrown;
  std::array<char, CURL_ERROR_SIZE> detail{};
  CurlEasy easy;  // last: gone before what it points to

  void set_up_context(SSL_CTX* context);
  static CURLcode on_context(CURL*, void* context, void* state) noexcept;
  static int on_certificate_request(SSL* ssl, void* state) noexcept;
  static curl_socket_t on_socket(void* state, curlsocktype, curl_sockaddr* address) noexcept;
};

// Notes the address, since libcurl does not report that of a failed attempt.
curl_socket_t CurlHandle::State::on_socket(void* state, curlsocktype,
                                           curl_sockaddr* address) noexcept {
  std::array<char, NI_MAXHOST> text{};
  const bool known = ::getnameinfo(&address->addr, address->addrlen, text.data(), text.size(),
                                   nullptr, 0, NI_NUMERICHOST) == 0;
  static_cast<State*>(state)->address = known ? text.data() : "";
  return open_socket(
             {.family = address->family, .type = address->socktype, .protocol = address->protocol})
      .release();
}

int CurlHandle::State::on_certificate_request(SSL* ssl, void* state) noexcept {
  auto& self = *static_cast<State*>(state);
  try {
    note_certificate_request(ssl, self.report);
    return 1;
  } catch (...) {
    return 0;
  }
}

void CurlHandle::State::set_up_context(SSL_CTX* context) {
  report.clear_failure();
  report.begun = true;
  offer_post_quantum_first(context);
  if (!is_for_proxy(context)) {
    // libcurl would also accept the common name.
    if (options.verify == ConnectionOptions::Verify::yes)
      demand_server_name(SSL_CTX_get0_param(context), host);
    if (certificate != nullptr) certificate->use_in(context);
    SSL_CTX_set_cert_cb(context, on_certificate_request, this);
  }
  watch_handshake(context, &report);
}

CURLcode CurlHandle::State::on_context(CURL*, void* context, void* state) noexcept {
  auto& self = *static_cast<State*>(state);
  try {
    self.thrown = nullptr;
    self.set_up_context(static_cast<SSL_CTX*>(context));
    return CURLE_OK;
  } catch (...) {
    self.thrown = std::current_exception();
    return CURLE_SSL_CERTPROBLEM;
  }
}

CurlHandle::CurlHandle(const ConnectionOptions& options, const Url& url)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.options = options;
  state.host = url.host;
  state.certificate = certificate_for(state.options, url);
  state.easy = make_easy();
  CURL* easy = get();
  set_option(easy, CURLOPT_ERRORBUFFER, state.detail.data());
  set_option(easy, CURLOPT_URL, url.text().c_str());
  set_protocol(easy, options);
  set_proxy(easy, options);
  if (is_exempt_by_pattern(url)) set_option(easy, CURLOPT_NOPROXY, "*");
  set_trust(easy, options);
  state.connect_to = list_of(options.connect_to);
  state.resolve = list_of(options.resolve);
  if (state.connect_to) set_option(easy, CURLOPT_CONNECT_TO, state.connect_to.get());
  if (state.resolve) set_option(easy, CURLOPT_RESOLVE, state.resolve.get());
  set_option(easy, CURLOPT_OPENSOCKETFUNCTION, &State::on_socket);
  set_option(easy, CURLOPT_OPENSOCKETDATA, &state);
  set_option(easy, CURLOPT_SSL_CTX_FUNCTION, &State::on_context);
  set_option(easy, CURLOPT_SSL_CTX_DATA, &state);
  // A resumed session keeps its client certificate, so the edge would not see a renewed one.
  if (state.certificate != nullptr) set_option(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
}

CurlHandle::CurlHandle(CurlHandle&&) noexcept = default;
CurlHandle& CurlHandle::operator=(CurlHandle&&) noexcept = default;
CurlHandle::~CurlHandle() = default;

CURL* CurlHandle::get() const noexcept {
  return state_->easy.get();
}
const HandshakeReport& CurlHandle::handshake() const noexcept {
  return state_->report;
}
const ConnectionOptions& CurlHandle::options() const noexcept {
  return state_->options;
}
void CurlHandle::forget_failure() noexcept {
  state_->report.clear_failure();
  state_->thrown = nullptr;
  state_->detail.front() = '\0';
}
const std::string& CurlHandle::address() const noexcept {
  return state_->address;
}
const char* CurlHandle::detail() const noexcept {
  return state_->detail.data();
}
std::exception_ptr CurlHandle::thrown() const noexcept {
  return state_->thrown;
}

}  // namespace mayfly
