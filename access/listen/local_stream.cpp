#include "access/listen/local_stream.hpp"

#include <sys/socket.h>

#include <array>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <bit>
#include <chrono>

#include "access/io/deadline.hpp"

namespace mayfly {
namespace {

constexpr auto goodbye_patience = std::chrono::seconds(1);
constexpr std::size_t most_unread = std::size_t{1024} * 1024;

}  // namespace

using State = IoResult::State;

// Waits until an operation that returned `state` can continue. Returns false if it cannot.
asio::awaitable<bool> LocalStream::wait_for(State state) {
  if (state == State::ended || state == State::failed || cancelled_) co_return false;
  const auto side = state == State::wait_writable ? WatchedDescriptor::For::wait_write
                                                  : WatchedDescriptor::For::wait_read;
  asio::error_code error;
  co_await watched_.wait(side, asio::redirect_error(asio::use_awaitable, error));
  co_return !cancelled_ && !error;
}

asio::awaitable<std::size_t> LocalStream::read(std::span<std::byte> into) {
  for (;;) {
    const IoResult result = local_.read(into);
    if (result.state == State::moved) co_return result.bytes;
    if (!co_await wait_for(result.state)) co_return 0;
  }
}

asio::awaitable<bool> LocalStream::read_all(std::span<std::byte> into) {
  while (!into.empty()) {
    const std::size_t size = co_await read(into);
    if (size == 0) co_return false;
    into = into.subspan(size);
  }
  co_return true;
}

asio::awaitable<bool> LocalStream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    const IoResult result = local_.write({&piece, 1});
    if (result.state == State::moved) {
      bytes.remove_prefix(result.bytes);
      continue;
    }
    if (!co_await wait_for(result.state)) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> LocalStream::read_more(std::string& text, BufferPool& buffers) {
  for (;;) {
    BufferPool::Buffer buffer = buffers.take();
    const IoResult result = local_.read({buffer.get(), BufferPool::size});
    if (result.state == State::moved)
      text.append(std::bit_cast<const char*>(buffer.get()), result.bytes);
    buffers.give_back(std::move(buffer));
    if (result.state == State::moved) co_return true;
    if (!co_await wait_for(result.state)) co_return false;
  }
}

asio::awaitable<void> LocalStream::say_goodbye(std::string message) {
  Deadline deadline(executor_, goodbye_patience);
  deadline.cancel_by([this] { cancel(); });
  if (!co_await write(message)) co_return;
  shutdown(socket_, SHUT_WR);
  std::array<std::byte, 1024> room;
  for (std::size_t unread = 0; unread < most_unread;) {
    const std::size_t size = co_await read(room);
    if (size == 0) break;
    unread += size;
  }
}

void LocalStream::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void LocalStream::cancel() {
  cancelled_ = true;
  watched_.cancel();
}

}  // namespace mayfly
