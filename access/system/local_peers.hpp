// Tells whether the program at the other end of a local connection is still there. TCP sends the
// same when a program ends and when it only finishes sending; for a program on this computer the
// kernel knows which it was.
#pragma once

#include "access/system/descriptor.hpp"
#include "access/system/sock_diag.hpp"

namespace mayfly {

enum class Presence {
  unknown,
  there,   // a process holds the other end
  gone,    // no process holds it any more
  absent,  // the kernel knows no such end: it is elsewhere, or gone for so long that it is
           // forgotten
};

class LocalPeers {
 public:
  // Opens a socket to the kernel. Call it before the process is confined.
  LocalPeers() noexcept;

  // Looks at the other end of a connected socket. Returns unknown if the system cannot tell.
  Presence look(int socket) const noexcept;
  // Looks at the other end of a TCP connection over loopback, which is on this computer. Returns
  // absent if there is none any more.
  PeerSocket other_end(int socket) const noexcept;
  // Returns whether the system tells of TCP connections over loopback, as it shows with one of our
  // own. Without its module for TCP, a kernel says of each socket that it is absent.
  bool tells_of_connections() const noexcept;

 private:
  PeerSocket own_end(int socket) const noexcept;

  Descriptor sock_diag_;  // may be empty
};

// The other end of one connection, which is looked at again and again.
class LocalPeer {
 public:
  // peers, which may be nullptr, outlives this object.
  LocalPeer(const LocalPeers* peers, int socket) noexcept : peers_(peers), socket_(socket) {}

  // Looks again. Returns unknown if the end was not on this computer so far, and never absent. What
  // was known stays if the system does not tell now.
  Presence look() noexcept;

 private:
  const LocalPeers* peers_;
  int socket_;
  bool was_there_ = false;
};

}  // namespace mayfly
