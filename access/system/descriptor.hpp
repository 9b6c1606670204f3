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
// Writes all bytes. Returns false if some could not be written (errno). The signal SIGPIPE of a
// pipe or socket without a reader ends the process unless it is ignored.
bool write_all(int descriptor, std::string_view bytes) noexcept;
// Like write_all(), for a socket, and never raises SIGPIPE.
bool send_all(int socket, std::string_view bytes) noexcept;

enum class Blocking { yes, no };

struct Pipe {
  Descriptor reading, writing;
};
// failure: what fails without the pipe, as in "cannot look up a name". Throws Error(failed) with
// that and the reason.
Pipe make_pipe(std::string_view failure, Blocking blocking = Blocking::yes);

// Two connected Unix sockets.
struct SocketPair {
  Descriptor ours, theirs;
};
// Throws Error(failed) as make_pipe() does.
SocketPair make_socket_pair(std::string_view failure, Blocking blocking = Blocking::yes);

struct SocketKind {
  int family = AF_UNIX;
  int type = SOCK_STREAM;
  int protocol = 0;
  Blocking blocking = Blocking::yes;
};
// Returns an empty Descriptor if there can be no such socket (errno).
Descriptor open_socket(const SocketKind& kind) noexcept;
// Returns EMFILE or ENFILE if no descriptor can be opened now, or 0. Libraries, getaddrinfo(3)
// among them, report that as other faults.
int descriptor_shortage() noexcept;
// Accepts a connection, which does not block. Returns an empty Descriptor if there is none (errno).
Descriptor accept_connection(int listening) noexcept;

}  // namespace mayfly
