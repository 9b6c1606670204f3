// A descriptor in an Asio loop that somebody else owns.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/posix/stream_descriptor.hpp>

namespace mayfly {

// The descriptor must stay open while this lives. It is taken out of the epoll set at the end by
// name: closing alone would not do while a forked child holds a copy.
class WatchedDescriptor {
 public:
  using For = asio::posix::stream_descriptor::wait_type;

  WatchedDescriptor(const asio::any_io_executor& executor, int descriptor)
      : stream_(executor, descriptor) {}
  ~WatchedDescriptor() { release(); }
  WatchedDescriptor(const WatchedDescriptor&) = delete;
  WatchedDescriptor& operator=(const WatchedDescriptor&) = delete;

  // Watches no longer; what waits is aborted. Needed when the descriptor closes before this goes:
  // its number may by then be somebody else's.
  void release() {
    if (stream_.is_open()) stream_.release();
  }

  // Handler(error_code): operation_aborted after the end, operation_not_supported for what epoll
  // does not take (files), which is always ready.
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
