#include "access/core/clock.hpp"

#include <doctest/doctest.h>

using namespace mayfly;
using namespace std::chrono_literals;

TEST_CASE("times are written to the last second of 9999") {
  CHECK(rfc3339(last_second) == "9999-12-31T23:59:59Z");
  CHECK(rfc3339(std::chrono::sys_seconds(0s)) == "1970-01-01T00:00:00Z");
  CHECK(utc_text(last_second) == "9999-12-31 23:59 UTC");
}

TEST_CASE("a limit of time is over when nothing of it is left") {
  const TimeLimit none(0ms), hour(1h);
  CHECK(none.is_over());
  CHECK(none.left() == 0ms);
  CHECK_FALSE(hour.is_over());
  CHECK(hour.left() > 59min);
  CHECK(hour.left() <= 1h);
}

TEST_CASE("a duration is written in its two largest units, rounded down") {
  CHECK(duration_text(42s) == "42 s");
  CHECK(duration_text(299s) == "4 min");
  CHECK(duration_text(2h + 14min + 59s) == "2 h 14 min");
  CHECK(duration_text(76h + 59min) == "3 d 4 h");
  CHECK(duration_text(2h) == "2 h");
}
