// When a file was last written, as a time that can be reckoned with.
#pragma once

#include <sys/stat.h>

#include <chrono>

namespace mayfly {

// A file may claim any year. What lies before 1970 or beyond the clock's type (2262) becomes the
// nearest of the two, so that an age can be taken from it without overflow.
inline std::chrono::system_clock::time_point modified_at(const struct stat& status) noexcept {
  using Time = std::chrono::system_clock::time_point;
  using Seconds = std::chrono::seconds;
  const Seconds seconds(status.st_mtim.tv_sec);
  if (seconds < Seconds::zero()) return Time();
  if (seconds >= std::chrono::floor<Seconds>(Time::max().time_since_epoch())) return Time::max();
  return Time(std::chrono::duration_cast<Time::duration>(
      seconds + std::chrono::nanoseconds(status.st_mtim.tv_nsec)));
}

}  // namespace mayfly
