// Notices that a local program aborts its connection while nothing is read from it.
#pragma once

#include "access/io/first_ready.hpp"
#include "access/listen/local_stream.hpp"

namespace mayfly {

class AbortWatch {
 public:
  // Both outlive it.
  AbortWatch(int socket, LocalStream& stream) : socket_(socket), stream_(stream) {}
  AbortWatch(const AbortWatch&) = delete;
  AbortWatch& operator=(const AbortWatch&) = delete;

  // Wakes `ready` when it happens.
  void wake(FirstReady& ready);
  // Of all that waits for the program: or it would add up, request after request.
  void stop() { stream_.watched().cancel(); }
  // Reset, or closed in both directions. An end of what it sends is none: it may wait for an
  // answer.
  bool has_aborted() const noexcept { return state_ == State::gone; }

 private:
  int socket_;
  LocalStream& stream_;
  enum class State { there, false_alarm, gone } state_ = State::there;
};

}  // namespace mayfly
