#include "access/system/file_time.hpp"

#include <doctest/doctest.h>

using namespace mayfly;
using namespace std::chrono_literals;
using std::chrono::system_clock;

namespace {

system_clock::time_point modified(std::time_t seconds, long nanoseconds) {
  struct stat status {};
  status.st_mtim = {seconds, nanoseconds};
  return modified_at(status);
}

}  // namespace

TEST_CASE("a file's time is its own within the clock's reach, and never overflows") {
  CHECK(modified(1'000'000'000, 500'000'000).time_since_epoch() == 1'000'000'000'500ms);
  CHECK(modified(0, 1).time_since_epoch() == 1ns);
  CHECK(modified(-1, 999'999'999) == system_clock::time_point());
  // 2262-04-11T23:47:16.854775807Z is the last nanosecond of 64 bits (date -u -d @9223372036).
  CHECK(modified(9223372035, 999'999'999).time_since_epoch() == 9223372035'999'999'999ns);
  CHECK(modified(9223372036, 999'999'999) == system_clock::time_point::max());
  CHECK(modified(253402300799, 0) == system_clock::time_point::max());
  for (const std::time_t extreme : {INT64_MIN, INT64_MAX})
    CHECK((system_clock::now() - modified(extreme, 0) < 0s) == (extreme > 0));
}
