// The local end as descriptors: stdin and stdout, or an accepted socket.
#pragma once

#include "access/io/stream.hpp"

namespace mayfly {

// Makes a descriptor non-blocking, and restores its flags at the end: stdin and stdout are shared
// with the program that started mayfly.
class NonBlocking {
 public:
  explicit NonBlocking(int descriptor);
  ~NonBlocking();
  NonBlocking(const NonBlocking&) = delete;
  NonBlocking& operator=(const NonBlocking&) = delete;

 private:
  int descriptor_;
  int flags_ = -1;  // to be set again; -1: nothing was changed
};

// Returns whether the reading end of a pipe or connection is closed.
bool reader_is_gone(int descriptor) noexcept;

// Returns whether both are descriptors of the same socket, as for a program that inetd(8) or
// socat(1) starts.
bool are_one_socket(int one, int other) noexcept;

class LocalDescriptors : public LocalEnd {
 public:
  // Both are non-blocking and owned by the caller; for a socket, pass it twice. peers, which may be
  // nullptr, outlives this object.
  LocalDescriptors(int in, int out, const LocalPeers* peers = nullptr)
      : in_(in), out_(out), peer_(peers, in) {}
  IoResult read(std::span<std::byte> into) override;
  IoResult write(std::span<const iovec> pieces) override;
  void has_changed() noexcept override { drained_ = full_ = false; }
  bool is_connection() const override { return in_ == out_; }
  Presence presence() override { return is_connection() ? peer_.look() : Presence::unknown; }

 private:
  int in_, out_;
  LocalPeer peer_;
  // The last call moved less than it could have, so the next one would only report EAGAIN.
  bool drained_ = false, full_ = false;
};

}  // namespace mayfly
