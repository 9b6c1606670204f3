// TLS to the edge with OpenSSL itself: one context for all tunnels of a process, no waiting.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "access/core/url.hpp"
#include "access/io/stream.hpp"
#include "access/io/wire.hpp"
#include "access/tls/connection_options.hpp"
#include "access/tls/handshake.hpp"
#include "access/tls/openssl_owner.hpp"

namespace mayfly {

// What connections to one origin share: trust, client certificate, the session to resume. libcurl
// makes a context for each connection (measured: 0.2 ms and 13 KiB), which is why tunnels do
// without it here.
class TlsContext {
 public:
  // One busy tunnel wants its buffers kept; thousands of idle ones released.
  enum class Buffers { keep, release };

  // Throws Error(usage) for trusted certificates that cannot be read.
  TlsContext(const ConnectionOptions& options, const Url& url, Buffers buffers);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  const Url& url() const noexcept { return url_; }
  // OpenSSL takes milliseconds to make its context; a dial does it while the network lets it wait.
  // What fails here fails again, and is told, when the connection is made.
  void prepare() noexcept;

 private:
  friend class TlsStream;
  using Connection = std::unique_ptr<SSL, Release<SSL_free>>;
  using SessionPointer = std::unique_ptr<SSL_SESSION, Release<SSL_SESSION_free>>;
  Connection connection();
  SslContextPointer make_context() const;
  static int on_new_session(SSL* ssl, SSL_SESSION* session) noexcept;

  ConnectionOptions options_;
  Url url_;
  Buffers buffers_;
  const ClientCertificate* certificate_;  // of options_; nullptr when this origin is shown none
  std::unique_ptr<X509_STORE, Release<X509_STORE_free>> trusted_;
  SslContextPointer context_;
  SessionPointer session_;
};

class TlsStream : public TunnelEnd {
 public:
  // The context outlives the stream.
  TlsStream(TlsContext& context, std::unique_ptr<Wire> wire);
  ~TlsStream() override;
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // moved: done. To be called until then. failed: see report().
  IoResult handshake();
  IoResult read(std::span<std::byte> into) override;
  IoResult write(std::span<const std::byte> bytes) override;
  Progress progress() const override;
  // Until then what has been read is wiped once it is handed on: the answer to an upgrade may hold
  // a token. What a tunnel carries is not worth its price.
  void stop_wiping() noexcept;
  int descriptor() const noexcept { return end_.wire->descriptor(); }
  const HandshakeReport& report() const noexcept { return report_; }
  // What the handshake came to.
  struct Facts {
    std::string version, cipher;  // "TLSv1.3", "TLS_AES_128_GCM_SHA256"
    enum class Session { fresh, resumed } session = Session::fresh;
  };
  Facts facts() const;

 private:
  bool is_server_verified() const;
  IoResult result_of(int returned);
  IoResult failed(std::string why);
  std::string failure();

  TlsContext& context_;
  WireEnd end_;
  HandshakeReport report_;
  TlsContext::Connection ssl_;  // last: gone before what it points to
};

}  // namespace mayfly
