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
  // Returns non-blocking sockets that listen on the address. A name may have several (IPv4 and
  // IPv6), all on one port; for port 0 a free port is chosen. A Unix socket has mode 0600 whatever
  // the umask; it replaces a socket file that nobody listens on, but no other file. An inherited
  // socket is taken over, and its file stays the service manager's. Throws Error(failed) with a
  // hint.
  static std::vector<ListeningSocket> open(const ListenAddress& address);

  ListeningSocket(ListeningSocket&&) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  // Removes the file of a Unix socket, unless another file has taken its place.
  ~ListeningSocket();

  int descriptor() const noexcept { return socket_.get(); }
  // Returns the address with the port that was chosen.
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
