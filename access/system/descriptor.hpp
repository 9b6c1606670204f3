// Descriptors: their owner, reading and writing through them, and pipes and sockets, which no child
// process inherits.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace mayfly {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Repeats a system call until no signal interrupts it, and returns its last result.
template <typename Call>
auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// Reads until `into` is full or the stream ends. Returns how many bytes were read, or -1 (errno).
std::ptrdiff_t read_all(int descriptor, std::span<char> into) noexcept;
// Writes all bytes. Returns false if some could not be written (errno).
bool write_all(int descriptor, std::string_view bytes) noexcept;

enum class Blocking { yes, no };

struct Pipe {
  Descriptor reading, writing;
};
// Throws Error(failed).
Pipe make_pipe(Blocking blocking = Blocking::yes);

// Two connected Unix sockets.
struct SocketPair {
  Descriptor ours, theirs;
};
// Throws Error(failed).
SocketPair make_socket_pair(Blocking blocking = Blocking::yes);

struct SocketKind {
  int family = AF_UNIX;
  int type = SOCK_STREAM;
  int protocol = 0;
  Blocking blocking = Blocking::yes;
};
// Returns an empty Descriptor if there can be no such socket (errno).
Descriptor open_socket(const SocketKind& kind) noexcept;
// Accepts a connection, which does not block. Returns an empty Descriptor if there is none (errno).
Descriptor accept_connection(int listening) noexcept;

}  // namespace mayfly
