#include "access/tls/tls.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <new>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/tls/client_certificate.hpp"
#include "access/tls/key_exchange.hpp"
#include "access/tls/trust.hpp"

namespace mayfly {
namespace {

[[noreturn]] void set_up_failed(std::string_view part) {
  throw Error(ErrorKind::failed,
              fmt::format("cannot set up TLS: {}: {}", part, take_openssl_error()));
}

int context_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

void load_trust(X509_STORE* store, const ConnectionOptions& options) {
  const Trust from = trust_of(options);
  if (!from.file.empty() && X509_STORE_load_file(store, from.file.c_str()) != 1)
    throw Error(ErrorKind::usage,
                fmt::format("cannot use the trusted certificates in {}: {}", printable(from.file),
                            take_openssl_error()),
                "check --cacert, SSL_CERT_FILE and SSL_CERT_DIR: PEM certificates are wanted");
  if (!from.directory.empty() && X509_STORE_load_path(store, from.directory.c_str()) != 1)
    set_up_failed("trusted certificates");
  if (from.file.empty() && from.directory.empty() && X509_STORE_set_default_paths(store) != 1)
    set_up_failed("trusted certificates");
}

void expect_host(SSL* ssl, const std::string& host) {
  demand_server_name(SSL_get0_param(ssl), host);
  // An address is no server name (RFC 6066 section 3). This is SSL_set_tlsext_host_name() without
  // the macro's C cast, which is a warning.
  if (!is_address(host) && SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                    const_cast<char*>(host.c_str())) != 1)
    set_up_failed("host name");
}

int on_certificate_request(SSL* ssl, void* report) noexcept {
  try {
    note_certificate_request(ssl, *static_cast<HandshakeReport*>(report));
    return 1;
  } catch (...) {
    return 0;
  }
}

}  // namespace

TlsContext::TlsContext(const ConnectionOptions& options, const Url& url, Buffers buffers)
    : options_(options),
      url_(url),
      buffers_(buffers),
      certificate_(certificate_for(options_, url_)),
      trusted_(X509_STORE_new()) {
  if (!trusted_) throw std::bad_alloc();
  if (options_.verify == ConnectionOptions::Verify::yes) load_trust(trusted_.get(), options_);
  if (certificate_ != nullptr) context_ = make_context();  // throws if it is unusable
}

TlsContext::~TlsContext() = default;

void TlsContext::prepare() noexcept {
  if (context_) return;
  try {
    context_ = make_context();
  } catch (...) {
    ERR_clear_error();
  }
}

SslContextPointer TlsContext::make_context() const {
  SslContextPointer made(SSL_CTX_new(TLS_client_method()));
  if (!made) set_up_failed("context");
  SSL_CTX* context = made.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  // Auto-retry skips TLS records without data, such as session tickets; otherwise they would look
  // like nothing to read.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_AUTO_RETRY);
  if (buffers_ == Buffers::release) SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  // Browsers use this order. OpenSSL prefers AES-256, which costs more per byte; no known attack
  // makes it stronger in practice.
  SSL_CTX_set_ciphersuites(context,
                           "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_"
                           "SHA256");
  offer_post_quantum_first(context);
  SSL_CTX_set1_cert_store(context, trusted_.get());
  const bool verify = options_.verify == ConnectionOptions::Verify::yes;
  SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  const auto protocols = std::to_array<unsigned char>({8, 'h', 't', 't', 'p', '/', '1', '.', '1'});
  SSL_CTX_set_alpn_protos(context, protocols.data(), protocols.size());
  if (certificate_ != nullptr) {
    certificate_->use_in(context);
  } else {
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, on_new_session);
  }
  return made;
}

// Keeps the latest session ticket, which all connections resume until the next ticket arrives. (RFC
// 8446 section C.4 advises against it because it links connections, but these carry one token
// anyway.) Sessions are copied, since OpenSSL marks a TLS 1.3 session as unusable once it was
// resumed or its connection was cut.
int TlsContext::on_new_session(SSL* ssl, SSL_SESSION* session) noexcept {
  auto* self = static_cast<TlsContext*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index()));
  if (self != nullptr) self->session_.reset(SSL_SESSION_dup(session));
  return 0;  // `session` stays OpenSSL's
}

TlsContext::Connection TlsContext::connection() {
  // With a client certificate each connection gets a new context, so that a renewed certificate is
  // used. (A resumed session would carry the identity of the certificate before.)
  if (!context_ || certificate_ != nullptr) context_ = make_context();
  SSL_CTX_set_ex_data(context_.get(), context_index(), this);
  Connection ssl(SSL_new(context_.get()));
  if (!ssl) set_up_failed("connection");
  expect_host(ssl.get(), url_.host);
  SSL_set_connect_state(ssl.get());
  if (session_) SSL_set_session(ssl.get(), SessionPointer(SSL_SESSION_dup(session_.get())).get());
  return ssl;
}

TlsStream::TlsStream(TlsContext& context, std::unique_ptr<Wire> wire)
    : context_(context), end_{.wire = std::move(wire), .last = {}}, ssl_(context.connection()) {
  BIO* bio = make_bio(end_);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_cert_cb(ssl_.get(), on_certificate_request, &report_);
  watch_handshake(ssl_.get(), &report_);
  SSL_set_options(ssl_.get(), SSL_OP_CLEANSE_PLAINTEXT);
}

void TlsStream::stop_wiping() noexcept {
  SSL_clear_options(ssl_.get(), SSL_OP_CLEANSE_PLAINTEXT);
}

// Sends a close_notify if the connection still takes it (RFC 8446 section 6.1).
TlsStream::~TlsStream() {
  if (SSL_is_init_finished(ssl_.get()) == 1 && end_.last.state != IoResult::State::failed)
    SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

// Each operation begins with an empty error queue, as SSL_get_error(3) demands: an error that other
// code has left there would be attributed to the connection.
IoResult TlsStream::handshake() {
  ERR_clear_error();
  const int returned = SSL_do_handshake(ssl_.get());
  if (returned == 1 && is_server_verified()) return {};
  IoResult result =
      returned == 1 ? failed("the server proves by no certificate who it is") : result_of(returned);
  // The next attempt does not resume this session, in case the session is the cause.
  if (result.state == IoResult::State::failed) context_.session_.reset();
  return result;
}

IoResult TlsStream::read(std::span<std::byte> into) {
  std::size_t bytes = 0;
  ERR_clear_error();
  const int returned = SSL_read_ex(ssl_.get(), into.data(), into.size(), &bytes);
  if (returned == 1) return {.bytes = bytes};
  return result_of(returned);
}

IoResult TlsStream::write(std::span<const std::byte> bytes) {
  std::size_t written = 0;
  ERR_clear_error();
  const int returned = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
  if (returned == 1) return {.bytes = written};
  return result_of(returned);
}

TlsStream::Facts TlsStream::facts() const {
  return {.version = SSL_get_version(ssl_.get()),
          .cipher = SSL_get_cipher_name(ssl_.get()),
          .group = key_exchange_group(ssl_.get()),
          .session = SSL_session_reused(ssl_.get()) == 1 ? Facts::Session::resumed
                                                         : Facts::Session::fresh};
}

TunnelEnd::Progress TlsStream::progress() const {
  const std::size_t waiting = end_.wire->unacknowledged();
  return {.written = end_.written,
          .acknowledged = end_.written - std::min<std::uint64_t>(end_.written, waiting),
          .host_answers = end_.wire->host_answers()};
}

// Whether the server's certificate was verified. If OpenSSL's configuration allows anonymous cipher
// suites ("ALL"), a handshake succeeds without a certificate, and nothing is verified.
bool TlsStream::is_server_verified() const {
  if (context_.options_.verify == ConnectionOptions::Verify::no) return true;
  return SSL_get0_peer_certificate(ssl_.get()) != nullptr &&
         SSL_get_verify_result(ssl_.get()) == X509_V_OK;
}

IoResult TlsStream::failed(std::string why) {
  end_.last.state = IoResult::State::failed;
  return {.state = IoResult::State::failed, .bytes = 0, .failure = std::move(why)};
}

IoResult TlsStream::result_of(int returned) {
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {.state = IoResult::State::wait_readable};
    case SSL_ERROR_WANT_WRITE:
      return {.state = IoResult::State::wait_writable};
    case SSL_ERROR_ZERO_RETURN:
      return {.state = IoResult::State::ended};
    default:
      return failed(failure());
  }
}

std::string TlsStream::failure() {
  const std::string reason = take_openssl_error();
  if (report_.alert) return report_.alert_text();
  if (end_.ended) return "the connection was cut";
  return end_.last.failure.empty() ? reason : end_.last.failure;
}

}  // namespace mayfly
