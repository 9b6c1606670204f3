// A local socket in an Asio loop, with reads and writes that wait.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <span>
#include <string>
#include <string_view>

#include "access/io/local_descriptors.hpp"
#include "access/io/watched_descriptor.hpp"
#include "access/pump/buffers.hpp"

namespace mayfly {

class LocalStream {
 public:
  // The socket must be non-blocking, and open as long as this object lives.
  LocalStream(const asio::any_io_executor& executor, int socket)
      : executor_(executor), socket_(socket), local_(socket, socket), watched_(executor, socket) {}

  // Returns the number of bytes read, or 0 at the end of stream, after an error, or after cancel().
  asio::awaitable<std::size_t> read(std::span<std::byte> into);
  // Fills `into`. Returns false if the stream ends before.
  asio::awaitable<bool> read_all(std::span<std::byte> into);
  // Appends the next bytes. Returns false if the stream has ended. Holds no buffer while it waits.
  asio::awaitable<bool> read_more(std::string& text, BufferPool& buffers);
  // Writes all bytes, which must outlive the call. Returns false if the local program does not read
  // any more, or after cancel().
  asio::awaitable<bool> write(std::string_view bytes);
  // Writes a last message and ends the stream, within a second. Reads and drops what the local
  // program still sends: closing a socket with unread bytes resets the connection, and the program
  // might then miss the message.
  asio::awaitable<void> say_goodbye(std::string message);
  // Marks the end as improper: a TCP connection is reset when its socket closes.
  void reset();
  // Ends the operation that waits, and makes later ones end instead of waiting.
  void cancel();

  // For a caller that waits by itself.
  LocalEnd& end() noexcept { return local_; }
  WatchedDescriptor& watched() noexcept { return watched_; }

 private:
  asio::awaitable<bool> wait_for(IoResult::State state);

  asio::any_io_executor executor_;
  int socket_;
  LocalDescriptors local_;
  WatchedDescriptor watched_;
  bool cancelled_ = false;
};

}  // namespace mayfly
