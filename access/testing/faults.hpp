// For tests: makes the Nth operation on a descriptor fail, in the thread that asks for it. The
// C library's functions are replaced for the whole program (test_faults.cpp), so that libcurl,
// OpenSSL and Asio meet the fault as they would meet the system's.
#pragma once

#include <set>
#include <string>

namespace mayfly::testing {

enum class Fault {
  reset,        // ECONNRESET or EPIPE, from then on
  timed_out,    // ETIMEDOUT, from then on
  end,          // end of stream when read, EPIPE when written, from then on
  stall,        // EAGAIN, from then on; epoll does not call it ready again
  short_piece,  // one byte, once
  interrupted,  // EINTR, once
};
std::string name_of(Fault fault);
// What only costs time.
inline bool is_harmless(Fault fault) {
  return fault == Fault::short_piece || fault == Fault::interrupted;
}

// While it lives, operations of this thread on TCP sockets, and on the descriptors named, are
// counted.
class FaultInjection {
 public:
  // at: the number of the operation that fails, from 1 on; 0 for none.
  FaultInjection(Fault fault, int at, std::set<int> also = {});
  ~FaultInjection();
  FaultInjection(const FaultInjection&) = delete;
  FaultInjection& operator=(const FaultInjection&) = delete;

  int operations() const;
  // Those that were tried on what had failed before.
  int in_vain() const;
};

}  // namespace mayfly::testing
