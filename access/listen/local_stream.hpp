// A local socket in a loop: reads and writes that wait, while there is time.
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
  // The socket is non-blocking and stays open while this lives.
  LocalStream(const asio::any_io_executor& executor, int socket)
      : executor_(executor), socket_(socket), local_(socket, socket), watched_(executor, socket) {}

  // How many bytes; 0 when no more come, for whatever reason: the end, an error, cancel().
  asio::awaitable<std::size_t> read(std::span<std::byte> into);
  // Until `into` is full; false when it ended before.
  asio::awaitable<bool> read_all(std::span<std::byte> into);
  // Appends what there is; false when no more comes. Holds no memory while it waits.
  asio::awaitable<bool> read_more(std::string& text, BufferPool& buffers);
  // False when nobody takes it any more, or cancel() came. The bytes outlive the call.
  asio::awaitable<bool> write(std::string_view bytes);
  // A last word, and the end, within a second. Closing a socket with bytes unread would reset it,
  // and the other side would perhaps not see the word: so they are read and dropped.
  asio::awaitable<void> say_goodbye(std::string word);
  // What is to be taken for no end in order: a TCP connection is reset when its socket closes.
  void reset();
  // Ends what waits, and all that would wait later.
  void cancel();

  // For who waits himself.
  LocalEnd& end() noexcept { return local_; }
  WatchedDescriptor& watched() noexcept { return watched_; }

 private:
  asio::awaitable<bool> wait(IoResult::State what);

  asio::any_io_executor executor_;
  int socket_;
  LocalDescriptors local_;
  WatchedDescriptor watched_;
  bool cancelled_ = false;
};

}  // namespace mayfly
