// TLS to the edge by OpenSSL: one context for all tunnels of a process, and streams that never
// wait.
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

// The parts that connections to one edge share: trust, client certificate, session to resume.
// libcurl makes a context for each connection (measured: 0.2 ms and 13 KiB), so tunnels do not use
// it.
class TlsContext {
 public:
  // Whether OpenSSL keeps its buffers: fast for one busy tunnel, but too much for thousands of idle
  // ones.
  enum class Buffers { keep, release };

  // Throws Error(usage) if the trusted certificates cannot be read.
  TlsContext(const ConnectionOptions& options, const Url& url, Buffers buffers);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  const Url& url() const noexcept { return url_; }
  // Makes OpenSSL's context, which takes milliseconds: for a moment when the network is waited for.
  // Ignores a failure, which making the connection will report.
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
  const ClientCertificate* certificate_;  // of options_; nullptr if this edge may not see it
  std::unique_ptr<X509_STORE, Release<X509_STORE_free>> trusted_;
  SslContextPointer context_;
  SessionPointer session_;
};

class TlsStream : public TunnelEnd {
 public:
  // `context` must outlive the stream.
  TlsStream(TlsContext& context, std::unique_ptr<Wire> wire);
  ~TlsStream() override;
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // Continues the handshake, and returns moved once it is done. After failed, report() has the
  // cause.
  IoResult handshake();
  IoResult read(std::span<std::byte> into) override;
  IoResult write(std::span<const std::byte> bytes) override;
  void has_changed() noexcept override { end_.wire->has_changed(); }
  Progress progress() const override;
  // OpenSSL wipes what it has read, since the answer to an upgrade may hold a token. This stops it:
  // for the payload of a tunnel, wiping would cost too much.
  void stop_wiping() noexcept;
  int descriptor() const noexcept { return end_.wire->descriptor(); }
  const HandshakeReport& report() const noexcept { return report_; }
  // The result of the handshake.
  struct Facts {
    std::string version, cipher;  // "TLSv1.3", "TLS_AES_128_GCM_SHA256"
    std::string group;            // of the key exchange: "x25519"; "" if it is not known
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
  TlsContext::Connection ssl_;  // last, since it points to end_ and report_
};

}  // namespace mayfly
