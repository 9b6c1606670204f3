#include "access/testing/server.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <latch>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "access/system/descriptor.hpp"
#include "access/tls/handshake.hpp"
#include "access/tls/openssl_owner.hpp"

namespace mayfly::testing {
namespace {

using SslPointer = std::unique_ptr<SSL, Release<SSL_free>>;

// One connection's bytes, with TLS or without.
struct Stream {
  int socket;
  SslPointer ssl;

  long read(char* buffer, std::size_t size) {
    if (!ssl) return ::read(socket, buffer, size);
    return SSL_read(ssl.get(), buffer, static_cast<int>(size));
  }
  bool write(const std::string& bytes) {
    if (!ssl) return send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0;
    return SSL_write(ssl.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
};

int accept_any(int, X509_STORE_CTX*) {
  return 1;
}

std::size_t content_length(const std::string& request) {
  const std::size_t at = request.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::stoul(request.substr(at + 16));
}

bool is_whole(const std::string& request) {
  const std::size_t end = request.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  if (request.find("\r\nTransfer-Encoding: chunked\r\n") < end)
    return request.ends_with("\r\n0\r\n\r\n");
  return request.size() >= end + 4 + content_length(request);
}

// False at the end of the connection; what had come by then.
bool read_request(Stream& stream, std::string& request) {
  char buffer[4096];
  request.clear();
  while (!is_whole(request)) {
    const long got = stream.read(buffer, sizeof buffer);
    if (got <= 0) return false;
    request.append(buffer, static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace

struct TestServer::Impl {
  TestServerOptions options;
  SslContextPointer context;
  Descriptor listener;
  int port = 0;
  std::atomic<int> handshakes{0}, resumed{0}, chain_length{0};
  std::mutex mutex;
  std::string subject;
  std::list<std::pair<Descriptor, std::thread>> connections;
  std::latch accepting{1};
  std::thread acceptor;

  void make_context();
  void listen_on_loopback();
  bool handshake(Stream& stream);
  void serve(int socket);
  void accept_all();
};

void TestServer::Impl::make_context() {
  context.reset(SSL_CTX_new(TLS_server_method()));
  REQUIRE(SSL_CTX_use_certificate_chain_file(context.get(), options.certificate.c_str()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey_file(context.get(), options.key.c_str(), SSL_FILETYPE_PEM) == 1);
  if (options.highest_tls == "1.2") SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>("test"), 4);
  if (options.client_ca.empty()) return;
  REQUIRE(SSL_CTX_load_verify_locations(context.get(), options.client_ca.c_str(), nullptr) == 1);
  SSL_CTX_set_client_CA_list(context.get(), SSL_load_client_CA_file(options.client_ca.c_str()));
  const bool demanded =
      options.client_certificate == TestServerOptions::ClientCertificate::demanded;
  SSL_CTX_set_verify(context.get(),
                     SSL_VERIFY_PEER | (demanded ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     options.accept_any_client ? accept_any : nullptr);
}

void TestServer::Impl::listen_on_loopback() {
  listener = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  REQUIRE(bind(listener.get(), generic, size) == 0);
  REQUIRE(listen(listener.get(), 16) == 0);
  REQUIRE(getsockname(listener.get(), generic, &size) == 0);
  port = ntohs(address.sin_port);
}

bool TestServer::Impl::handshake(Stream& stream) {
  if (!context) return true;
  stream.ssl.reset(SSL_new(context.get()));
  SSL_set_fd(stream.ssl.get(), stream.socket);
  if (SSL_accept(stream.ssl.get()) != 1) return false;
  resumed += SSL_session_reused(stream.ssl.get());
  const X509* peer = SSL_get0_peer_certificate(stream.ssl.get());
  const std::lock_guard lock(mutex);
  subject = peer != nullptr ? facts_of(peer).subject : "";
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(stream.ssl.get());
  chain_length = peer != nullptr ? 1 + (chain != nullptr ? sk_X509_num(chain) : 0) : 0;
  ++handshakes;
  return true;
}

void TestServer::Impl::serve(int socket) {
  Stream stream{.socket = socket, .ssl = nullptr};
  if (handshake(stream)) {
    std::string request;
    while (read_request(stream, request)) {
      const std::string bytes = options.answer(std::exchange(request, {}));
      if (bytes.empty() || !stream.write(bytes)) break;
      if (bytes.find("\r\nConnection: close\r\n") != std::string::npos) break;
    }
    if (!request.empty()) options.broken_off(request);
  }
  if (stream.ssl) SSL_shutdown(stream.ssl.get());
  shutdown(socket, SHUT_RDWR);
}

void TestServer::Impl::accept_all() {
  accepting.count_down();
  for (;;) {
    Descriptor socket(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return;
    const int number = socket.get(), on = 1;
    // An answer must not wait until the session tickets before it are acknowledged (Nagle).
    setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections.emplace_back(std::move(socket), std::thread([this, number] { serve(number); }));
  }
}

TestServer::TestServer(TestServerOptions options) : impl_(std::make_unique<Impl>()) {
  // The machine's proxy does not lead to loopback.
  for (const char* variable : {"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"}) {
    unsetenv(variable);
  }
  impl_->options = std::move(options);
  if (!impl_->options.certificate.empty()) impl_->make_context();
  impl_->listen_on_loopback();
  // Held back in the server's threads only: the client's side has to see to itself.
  sigset_t pipe, before;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  impl_->acceptor = std::thread([this] { impl_->accept_all(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  // A test may fork next: of a thread that is still being made, the child would keep the locks of
  // the address sanitizer's allocator for ever.
  impl_->accepting.wait();
}

TestServer::~TestServer() {
  shutdown(impl_->listener.get(), SHUT_RDWR);
  impl_->acceptor.join();
  for (auto& [socket, thread] : impl_->connections) {
    shutdown(socket.get(), SHUT_RDWR);
    thread.join();
  }
}

int TestServer::port() const noexcept {
  return impl_->port;
}
int TestServer::handshakes() const noexcept {
  return impl_->handshakes;
}
int TestServer::resumed() const noexcept {
  return impl_->resumed;
}
int TestServer::client_chain_length() const noexcept {
  return impl_->chain_length;
}
std::string TestServer::client_subject() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->subject;
}

std::string ok(const std::string& body, const std::string& headers) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{}\r\n{}", body.size(), headers,
                     body);
}

}  // namespace mayfly::testing
