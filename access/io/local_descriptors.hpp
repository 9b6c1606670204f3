// The local end as descriptors: stdin and stdout, or an accepted socket.
#pragma once

#include "access/io/stream.hpp"

namespace mayfly {

// Makes a descriptor non-blocking, and what it was before at the end: stdin and stdout are shared
// with whoever started us, perhaps a terminal.
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

// Lets a pipe hold more, so that reads and writes are full and fewer; nothing happens to what is no
// pipe.
void widen_pipe(int descriptor) noexcept;

// True when nobody can read what is written there any more.
bool reader_is_gone(int descriptor) noexcept;

class LocalDescriptors : public LocalEnd {
 public:
  // Both are non-blocking and owned by somebody else; the same one twice for a socket.
  LocalDescriptors(int in, int out) : in_(in), out_(out) {}
  IoResult read(std::span<std::byte> into) override;
  IoResult write(std::span<const iovec> pieces) override;

 private:
  int in_, out_;
  // The last call moved less than it could have: the next would only say that it has to wait.
  bool drained_ = false, full_ = false;
};

}  // namespace mayfly
