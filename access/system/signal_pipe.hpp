// The pipe by which a signal handler wakes loops that watch descriptors. A signalfd would not do: a
// handler also interrupts system calls that cannot watch a descriptor.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "access/system/descriptor.hpp"

namespace mayfly {

// A constant-initialised global, which handlers may use at any time; it is never closed.
class SignalPipe {
 public:
  bool is_open() const noexcept { return reading_ >= 0; }
  // Throws Error(failed).
  void open() {
    Pipe pipe = make_pipe("cannot watch for signals", Blocking::no);
    reading_ = pipe.reading.release();
    writing_ = pipe.writing.release();
  }
  void close() noexcept {
    for (int* end : {&reading_, &writing_}) Descriptor(std::exchange(*end, -1));
  }
  // Readable after notify(); -1 while the pipe is not open.
  int descriptor() const noexcept { return reading_; }
  // Safe in a signal handler. A full pipe says enough.
  void notify() const noexcept {
    const int saved = errno;
    [[maybe_unused]] const auto written = ::write(writing_, "!", 1);
    errno = saved;
  }
  // Returns whether notify() was called since the last take().
  bool take() const noexcept {
    bool notified = false;
    char drained[64];
    while (is_open() && ::read(reading_, drained, sizeof drained) > 0) notified = true;
    return notified;
  }

 private:
  int reading_ = -1, writing_ = -1;
};

}  // namespace mayfly
