// A TLS connection as an Asio stream: OpenSSL straight on the socket, large reads, full records.
#pragma once

#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/compose.hpp>
#include <boost/beast/core/role.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "asio.hpp"
#include "handle.hpp"
#include "tls_server.hpp"

namespace edge {

// A handle: copies are the same connection.
class TlsStream {
 public:
  using executor_type = Executor;
  enum class Want { nothing, read, write };

  TlsStream(Socket socket, TlsServer& server);
  executor_type get_executor() { return state_->socket.get_executor(); }
  Socket& socket() { return state_->socket; }
  // Keeps the socket alive for a timer that may fire late.
  std::shared_ptr<Socket> share_socket() { return {state_, &state_->socket}; }
  SSL* ssl() { return state_->ssl.get(); }
  const TlsState& tls() const { return state_->tls; }
  // Did the peer end without close_notify?
  bool truncated() const { return state_->truncated; }

  // One step of the handshake, of reading or writing. Nothing wanted: done or `error`.
  Want handshake(error_code& error);
  Want read(char* data, std::size_t size, std::size_t& done, error_code& error);
  Want write(const char* data, std::size_t size, std::size_t& done, error_code& error);

  // Bytes that were read too early: the next read gives them first.
  void unread(std::string bytes) { state_->unread = std::move(bytes); }
  void send_close_notify();
  void reset();  // TCP reset

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    asio::mutable_buffer target;
    for (auto i = asio::buffer_sequence_begin(buffers); i != asio::buffer_sequence_end(buffers);
         ++i) {
      target = *i;
      if (target.size() > 0) break;
    }
    return asio::async_compose<Token, void(error_code, std::size_t)>(
        ReadOperation{*this, static_cast<char*>(target.data()), target.size()}, token,
        state_->socket);
  }

  // Writes everything: a part that was given to OpenSSL has to be offered again as it was.
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_compose<Token, void(error_code, std::size_t)>(
        WriteOperation<Buffers>{*this, buffers, asio::buffer_size(buffers)}, token, state_->socket);
  }

 private:
  static constexpr std::size_t record = 16384;  // RFC 8446 section 5.1: largest plaintext

  struct State {
    State(Socket accepted, TlsServer& server)
        : socket(std::move(accepted)), ssl(server.accept(socket.native_handle(), tls)) {}
    Socket socket;
    TlsState tls;
    Connection ssl;
    std::string unread;
    bool truncated = false;
  };

  template <typename Self>
  static void wait(Want want, TlsStream& stream, Self& self) {
    stream.socket().async_wait(want == Want::read ? Socket::wait_read : Socket::wait_write,
                               std::move(self));
  }

  struct ReadOperation {
    TlsStream& stream;
    char* data;
    std::size_t size;
    std::size_t done = 0;
    bool started = false;
    bool finished = false;
    error_code result{};

    template <typename Self>
    void operator()(Self& self, error_code error = {}) {
      if (finished) return self.complete(result, done);
      if (error) return self.complete(error, 0);
      const Want want = size == 0 ? Want::nothing : stream.read(data, size, done, result);
      if (want != Want::nothing) {
        started = true;
        return wait(want, stream, self);
      }
      if (started) return self.complete(result, done);
      finished = true;  // never complete from inside the call that started it
      asio::post(stream.get_executor(), std::move(self));
    }
  };

  template <typename Buffers>
  struct WriteOperation {
    TlsStream& stream;
    Buffers buffers;
    std::size_t size;
    std::size_t done = 0;
    bool started = false;
    bool finished = false;
    error_code result{};

    template <typename Self>
    void operator()(Self& self, error_code error = {}) {
      if (finished) return self.complete(result, done);
      if (error) return self.complete(error, done);
      while (done < size && !result) {
        char scratch[record];
        const asio::const_buffer next = gather(scratch);
        std::size_t written = 0;
        const Want want =
            stream.write(static_cast<const char*>(next.data()), next.size(), written, result);
        done += written;
        if (want == Want::nothing) continue;
        started = true;
        return wait(want, stream, self);
      }
      if (started) return self.complete(result, done);
      finished = true;
      asio::post(stream.get_executor(), std::move(self));
    }

    // The next record's worth of bytes; copied together only when they lie apart.
    asio::const_buffer gather(char* scratch) const {
      std::size_t skip = done;
      std::size_t filled = 0;
      for (auto i = asio::buffer_sequence_begin(buffers); i != asio::buffer_sequence_end(buffers);
           ++i) {
        asio::const_buffer piece(*i);
        if (skip >= piece.size()) {
          skip -= piece.size();
          continue;
        }
        piece += std::exchange(skip, 0);
        if (filled == 0 && piece.size() >= record) return {piece.data(), record};
        const std::size_t part = std::min(piece.size(), record - filled);
        std::memcpy(scratch + filled, piece.data(), part);
        filled += part;
        if (filled == record) break;
      }
      return {scratch, filled};
    }
  };

  std::shared_ptr<State> state_;
};

// What Beast's WebSocket does to the layer below at the end (found by argument-dependent lookup).
template <typename Handler>
void async_teardown(boost::beast::role_type, TlsStream& stream, Handler&& handler) {
  stream.send_close_notify();
  asio::post(stream.get_executor(),
             [done = std::forward<Handler>(handler)]() mutable { done(error_code{}); });
}
void teardown(boost::beast::role_type, TlsStream& stream, error_code& error);
void beast_close_socket(TlsStream& stream);

// Runs the handshake; an error when it failed or took more than 15 s.
asio::awaitable<error_code> handshake(TlsStream& stream);

// Ends orderly: close_notify, FIN, then waits (up to 2 s) for the peer to go, so that no reset
// overtakes what was sent.
asio::awaitable<void> finish(TlsStream& stream);

}  // namespace edge
