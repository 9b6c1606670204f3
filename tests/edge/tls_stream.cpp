// A TLS connection as an Asio stream: OpenSSL straight on the socket, large reads, full records.
#include "tls_stream.hpp"

#include <openssl/err.h>

#include <cerrno>

namespace edge {
namespace {

using Want = TlsStream::Want;

// What OpenSSL wants after a call that gave `result` <= 0; sets `error` when it is over.
Want interpret(SSL* ssl, int result, bool& truncated, error_code& error) {
  const int saved = errno;
  const int reason = SSL_get_error(ssl, result);
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  switch (reason) {
    case SSL_ERROR_WANT_READ:
      return Want::read;
    case SSL_ERROR_WANT_WRITE:
      return Want::write;
    case SSL_ERROR_ZERO_RETURN:
      error = asio::error::eof;
      break;
    case SSL_ERROR_SYSCALL:
      if (saved != 0) {
        error = error_code(saved, boost::system::system_category());
      } else {
        error = asio::error::eof;
      }
      truncated = true;
      break;
    default:
      truncated = ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
      error = truncated ? error_code(asio::error::eof)
                        : make_error_code(boost::system::errc::protocol_error);
  }
  return Want::nothing;
}

}  // namespace

TlsStream::TlsStream(Socket socket, TlsServer& server)
    : state_(std::make_shared<State>(std::move(socket), server)) {}

Want TlsStream::handshake(error_code& error) {
  errno = 0;
  const int result = SSL_do_handshake(ssl());
  if (result == 1) return Want::nothing;
  if (state_->tls.hello != Hello::go_on) {
    ERR_clear_error();
    error = asio::error::operation_aborted;
    return Want::nothing;
  }
  return interpret(ssl(), result, state_->truncated, error);
}

Want TlsStream::read(char* data, std::size_t size, std::size_t& done, error_code& error) {
  if (!state_->unread.empty()) {
    done = std::min(size, state_->unread.size());
    std::memcpy(data, state_->unread.data(), done);
    state_->unread.erase(0, done);
    return Want::nothing;
  }
  while (done < size) {
    errno = 0;
    std::size_t part = 0;
    const int result = SSL_read_ex(ssl(), data + done, size - done, &part);
    if (result != 1) {
      error_code reason;
      const Want want = interpret(ssl(), result, state_->truncated, reason);
      if (done > 0) return Want::nothing;  // what is wrong will show again
      error = reason;
      return want;
    }
    done += part;
  }
  return Want::nothing;
}

Want TlsStream::write(const char* data, std::size_t size, std::size_t& done, error_code& error) {
  errno = 0;
  const int result = SSL_write_ex(ssl(), data, size, &done);
  if (result == 1) return Want::nothing;
  return interpret(ssl(), result, state_->truncated, error);
}

void TlsStream::send_close_notify() {
  SSL_shutdown(ssl());
  ERR_clear_error();
  error_code ignored;
  socket().shutdown(Socket::shutdown_send, ignored);
}

void TlsStream::reset() {
  error_code ignored;
  socket().set_option(asio::socket_base::linger(true, 0), ignored);
  socket().close(ignored);
}

void teardown(boost::beast::role_type, TlsStream& stream, error_code& error) {
  stream.send_close_notify();
  error = {};
}

void beast_close_socket(TlsStream& stream) {
  error_code ignored;
  stream.socket().close(ignored);
}

asio::awaitable<error_code> handshake(TlsStream& stream) {
  Timer deadline(stream.get_executor());
  deadline.expires_after(std::chrono::seconds(15));
  deadline.async_wait([socket = stream.share_socket()](error_code error) {
    error_code ignored;
    if (!error) socket->close(ignored);
  });
  error_code error;
  for (;;) {
    const Want want = stream.handshake(error);
    if (want == Want::nothing || error) co_return error;
    const auto kind = want == Want::read ? Socket::wait_read : Socket::wait_write;
    co_await stream.socket().async_wait(kind, into(error));
    if (error) co_return error;
  }
}

asio::awaitable<void> finish(TlsStream& stream) {
  if (!stream.socket().is_open()) co_return;
  stream.send_close_notify();
  Timer deadline(stream.get_executor());
  deadline.expires_after(std::chrono::seconds(2));
  deadline.async_wait([socket = stream.share_socket()](error_code error) {
    error_code ignored;
    if (!error) socket->close(ignored);
  });
  error_code error;
  char dropped[4096];
  while (!error) {
    co_await stream.socket().async_read_some(asio::buffer(dropped), into(error));
  }
  stream.socket().close(error);
}

}  // namespace edge
