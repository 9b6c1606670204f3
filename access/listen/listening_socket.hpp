// Sockets that accept local connections: TCP, or a Unix socket that only its owner can use.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "access/listen/listen_address.hpp"
#include "access/system/descriptor.hpp"

namespace mayfly {

class ListeningSocket {
 public:
  // Non-blocking, close-on-exec, listening. A name may give several (IPv4 and IPv6), all on one
  // port; port 0 becomes a free one. A Unix socket has mode 0600 whatever the umask; a socket file
  // nobody listens on is replaced, anything else there is not. Throws Error(failed) with a hint.
  static std::vector<ListeningSocket> open(const ListenAddress& address);

  ListeningSocket(ListeningSocket&&) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  // Removes the file of a Unix socket, if it is still ours.
  ~ListeningSocket();

  int descriptor() const noexcept { return socket_.get(); }
  // As asked for, with the port that was taken.
  const ListenAddress& address() const noexcept { return address_; }

 private:
  ListeningSocket(Descriptor socket, ListenAddress address);
  static ListeningSocket open_unix(const ListenAddress& address);
  static std::vector<ListeningSocket> open_tcp(const ListenAddress& address);

  Descriptor socket_;
  ListenAddress address_;
  dev_t device_ = 0;  // of the socket file
  ino_t inode_ = 0;
};

}  // namespace mayfly
