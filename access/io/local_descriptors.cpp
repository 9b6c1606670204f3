#include "access/io/local_descriptors.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "access/system/descriptor.hpp"

namespace mayfly {

using State = IoResult::State;

NonBlocking::NonBlocking(int descriptor) : descriptor_(descriptor) {
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0 || (flags & O_NONBLOCK) != 0) return;
  if (fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0) flags_ = flags;
}

NonBlocking::~NonBlocking() {
  if (flags_ >= 0) fcntl(descriptor_, F_SETFL, flags_);
}

bool reader_is_gone(int descriptor) noexcept {
  pollfd state{.fd = descriptor, .events = 0, .revents = 0};
  return ::poll(&state, 1, 0) == 1 && (state.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

bool are_one_socket(int one, int other) noexcept {
  struct stat first {
  }, second{};
  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 && S_ISSOCK(first.st_mode) &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

IoResult LocalDescriptors::read(std::span<std::byte> into) {
  if (drained_) {
    drained_ = false;
    return {.state = State::wait_readable};
  }
  const ssize_t count = uninterrupted([&] { return ::read(in_, into.data(), into.size()); });
  if (count == 0) return {.state = State::ended};
  if (count < 0 && errno == EAGAIN) return {.state = State::wait_readable};
  if (count < 0) {
    return {.state = State::failed,
            .bytes = 0,
            .failure = fmt::format("cannot read the local side: {}", std::strerror(errno))};
  }
  const auto bytes = static_cast<std::size_t>(count);
  drained_ = bytes < into.size();
  return {.bytes = bytes};
}

IoResult LocalDescriptors::write(std::span<const iovec> pieces) {
  if (full_) {
    full_ = false;
    return {.state = State::wait_writable};
  }
  std::size_t all = 0;
  for (const iovec& piece : pieces) all += piece.iov_len;
  const ssize_t count =
      uninterrupted([&] { return ::writev(out_, pieces.data(), static_cast<int>(pieces.size())); });
  if (count < 0 && errno == EAGAIN) return {.state = State::wait_writable};
  if (count < 0 && (errno == EPIPE || errno == ECONNRESET)) return {.state = State::ended};
  if (count < 0) {
    return {.state = State::failed,
            .bytes = 0,
            .failure = fmt::format("cannot write the local side: {}", std::strerror(errno))};
  }
  const auto bytes = static_cast<std::size_t>(count);
  full_ = bytes < all;
  return {.bytes = bytes};
}

}  // namespace mayfly
