// Tells whether the program at the other end of a local connection is still there. TCP sends the
// same when a program ends and when it only finishes sending; for a program on this computer the
// kernel knows which it was.
#pragma once

#include "access/system/descriptor.hpp"

namespace mayfly {

enum class Presence {
  unknown,
  there,  // a process holds the other end
  gone,   // no process holds it any more
};

class LocalPeers {
 public:
  // Opens a socket to the kernel. Call it before the process is confined.
  LocalPeers() noexcept;

  // Looks at the other end of a connected socket. Returns unknown if that end is on another
  // computer or in another network namespace, and if the system cannot tell.
  Presence look(int socket) const noexcept;

 private:
  Descriptor sock_diag_;  // may be empty
};

}  // namespace mayfly
