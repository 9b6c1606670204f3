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

class LocalDescriptors : public LocalEnd {
 public:
  // Both are non-blocking and owned by the caller; for a socket, pass it twice.
  LocalDescriptors(int in, int out) : in_(in), out_(out) {}
  IoResult read(std::span<std::byte> into) override;
  IoResult write(std::span<const iovec> pieces) override;

 private:
  int in_, out_;
  // The last call moved less than it could have, so the next one would only report EAGAIN.
  bool drained_ = false, full_ = false;
};

}  // namespace mayfly
