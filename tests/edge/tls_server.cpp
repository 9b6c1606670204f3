// The TLS side of the listener: certificates by SNI, client certificates, tickets, TLS faults.
#include "tls_server.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <cstring>

namespace edge {
namespace {

int state_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// RFC 6066 section 3: a list of one host_name.
std::string read_sni(SSL* ssl) {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &size) != 1) return "";
  constexpr std::size_t overhead = 5;  // list length, type, name length
  if (size < overhead || data[2] != TLSEXT_NAMETYPE_host_name) return "";
  const std::size_t length = (std::size_t{data[3]} << 8) + data[4];
  if (length > size - overhead) return "";
  return lower({reinterpret_cast<const char*>(data) + overhead, length});
}

int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned in_size, void*) {
  static constexpr unsigned char wanted[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, wanted, sizeof wanted - 1, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// A bad client certificate never ends the handshake: the HTTP answer says what is wrong.
int verify_leniently(X509_STORE_CTX* context, void*) {
  X509_verify_cert(context);
  ERR_clear_error();
  return 1;
}

std::string subject_text(X509* certificate) {
  const Memory memory(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(memory.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string common_name(X509* certificate) {
  char text[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof text);
  return text;
}

Flaw flaw_of(FaultBoard& faults, const std::string& application) {
  if (faults.take(application, "tls.expired")) return Flaw::expired;
  if (faults.take(application, "tls.wrong_host")) return Flaw::wrong_host;
  if (faults.take(application, "tls.self_signed")) return Flaw::self_signed;
  return Flaw::none;
}

}  // namespace

TlsServer::TlsServer(Edge& edge) : edge_(edge), context_(SSL_CTX_new(TLS_server_method())) {
  SSL_CTX* context = context_.get();
  require(context != nullptr, "making a TLS context");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets only
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, std::size_t{64} * 1024);
  SSL_CTX_set_client_hello_cb(context, &TlsServer::on_hello, this);
  SSL_CTX_set_alpn_select_cb(context, select_protocol, nullptr);
  SSL_CTX_set_cert_verify_callback(context, verify_leniently, nullptr);
}

Connection TlsServer::accept(int descriptor, TlsState& state) {
  Connection ssl(SSL_new(context_.get()));
  require(ssl != nullptr, "making a TLS connection");
  SSL_set_ex_data(ssl.get(), state_index(), &state);
  SSL_set_fd(ssl.get(), descriptor);
  SSL_set_accept_state(ssl.get());
  return ssl;
}

int TlsServer::on_hello(SSL* ssl, int* alert, void* self) {
  auto& state = *static_cast<TlsState*>(SSL_get_ex_data(ssl, state_index()));
  try {
    static_cast<TlsServer*>(self)->prepare(ssl, state);
  } catch (const std::exception&) {
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
  }
  if (state.hello == Hello::go_on) return SSL_CLIENT_HELLO_SUCCESS;
  return SSL_CLIENT_HELLO_RETRY;  // nothing is sent
}

void TlsServer::prepare(SSL* ssl, TlsState& state) {
  state.sni = read_sni(ssl);
  const Config& config = edge_.config;
  const ApplicationPointer application = config.find_host(state.sni);
  const std::string name = application ? application->name : std::string();
  if (edge_.faults.take(name, "tls.reset")) state.hello = Hello::reset;
  if (edge_.faults.take(name, "tls.stall")) state.hello = Hello::stall;
  const std::string host = state.sni.empty() ? "localhost" : state.sni;
  SSL_use_certificate(ssl, edge_.authority.certificate(host, flaw_of(edge_.faults, name)));
  SSL_use_PrivateKey(ssl, edge_.authority.key());
  if (!config.tls12) SSL_set_min_proto_version(ssl, TLS1_3_VERSION);
  if (!config.tls13) SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
  if (!config.tickets) {
    SSL_set_options(ssl, SSL_OP_NO_TICKET);
    SSL_set_num_tickets(ssl, 0);
  }
  const bool has_own = application && !application->client_ca.empty();
  const std::string& pem = has_own ? application->client_ca : config.client_ca;
  const std::string context = sha256(host + pem);
  SSL_set_session_id_context(ssl, reinterpret_cast<const unsigned char*>(context.data()),
                             static_cast<unsigned>(context.size()));
  if (!pem.empty()) request_certificate(ssl, pem);
}

void TlsServer::request_certificate(SSL* ssl, const std::string& pem) {
  const Trust& trusted = trust(pem);
  SSL_set1_verify_cert_store(ssl, trusted.store.get());
  for (const Certificate& authority : trusted.authorities) {
    SSL_add_client_CA(ssl, authority.get());
  }
  SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
}

const TlsServer::Trust& TlsServer::trust(const std::string& pem) {
  Trust& trusted = trusts_[pem];
  if (trusted.store) return trusted;
  trusted.authorities = parse_certificates(pem);
  trusted.store.reset(X509_STORE_new());
  for (const Certificate& authority : trusted.authorities) {
    X509_STORE_add_cert(trusted.store.get(), authority.get());
  }
  return trusted;
}

void describe_peer(SSL* ssl, const TlsState& state, Peer& peer) {
  peer.tls_version = SSL_get_version(ssl);
  peer.resumed = SSL_session_reused(ssl) == 1;
  peer.sni = state.sni;
  X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) return;
  peer.certificate = subject_text(certificate);
  peer.common_name = common_name(certificate);
  long result = SSL_get_verify_result(ssl);
  // A resumed session brings the result of the day it began.
  if (result == X509_V_OK && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    result = X509_V_ERR_CERT_HAS_EXPIRED;
  }
  peer.certificate_good = result == X509_V_OK;
  peer.certificate_check = peer.certificate_good ? "ok" : X509_verify_cert_error_string(result);
}

}  // namespace edge
