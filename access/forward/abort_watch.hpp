// Notices that a local program has gone while nothing is read from it.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>

#include "access/io/first_ready.hpp"
#include "access/listen/local_stream.hpp"
#include "access/system/local_peers.hpp"

namespace mayfly {

class AbortWatch {
 public:
  // Both outlive it, and so do the peers, which may be nullptr.
  AbortWatch(int socket, LocalStream& stream, const LocalPeers* peers)
      : socket_(socket), stream_(stream), peer_(peers, socket) {}
  AbortWatch(const AbortWatch&) = delete;
  AbortWatch& operator=(const AbortWatch&) = delete;

  // Wakes `ready` when the program has gone.
  void wake(FirstReady& ready);
  // Wakes `ready` when the program has finished sending, too. Only while nothing else waits until
  // the socket is readable.
  void wake_at_end_of_stream(FirstReady& ready);
  // The end of stream was read.
  void has_finished_sending();
  // Waits as FirstReady::wait() does. Meanwhile looks every half second whether a program that has
  // finished sending is still there, and returns true once it has gone.
  asio::awaitable<bool> wait(FirstReady& ready, std::chrono::milliseconds patience);
  // Of all that waits for the program: or it would add up, request after request.
  void stop();

  // Reset, closed in both directions, or closed by a program on this computer. The end of what the
  // program sends is not enough: it may wait for an answer.
  bool has_aborted() const noexcept { return state_ == State::gone; }
  // Whether a program that has finished sending is known to be there.
  bool is_there() const noexcept { return is_there_; }

 private:
  void look();

  int socket_;
  LocalStream& stream_;
  LocalPeer peer_;
  enum class State { there, false_alarm, gone } state_ = State::there;
  enum class Sends { unknown, more, nothing_more } sends_ = Sends::unknown;
  bool is_there_ = false;
};

}  // namespace mayfly
