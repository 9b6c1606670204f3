// Watches a descriptor of another owner in an Asio loop.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/posix/stream_descriptor.hpp>

namespace mayfly {

// The descriptor must stay open while this object lives, which removes it from the epoll set
// explicitly: closing it would not be enough while a forked child holds a copy.
class WatchedDescriptor {
 public:
  using For = asio::posix::stream_descriptor::wait_type;

  WatchedDescriptor(const asio::any_io_executor& executor, int descriptor)
      : stream_(executor, descriptor) {}
  ~WatchedDescriptor() { release(); }
  WatchedDescriptor(const WatchedDescriptor&) = delete;
  WatchedDescriptor& operator=(const WatchedDescriptor&) = delete;

  // Stops watching and aborts pending waits. Call it if the descriptor closes before this object is
  // destroyed, since its number may be in use again by then.
  void release() {
    if (stream_.is_open()) stream_.release();
  }

  // Handler(error_code): operation_aborted after the end, operation_not_supported for regular
  // files, which epoll does not accept and which are always ready.
  template <typename Token>
  auto wait(For what, Token&& token) {
    return stream_.async_wait(what, std::forward<Token>(token));
  }
  void cancel() {
    asio::error_code ignored;
    stream_.cancel(ignored);
  }

 private:
  asio::posix::stream_descriptor stream_;
};

}  // namespace mayfly
