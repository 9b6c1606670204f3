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

// As `ssh -G -o ControlPersist=... host` of OpenSSH 9.2 prints them.
TEST_CASE("a duration is read as OpenSSH reads it") {
  CHECK(parse_duration("90") == 90s);
  CHECK(parse_duration("10m") == 600s);
  CHECK(parse_duration("1h30m") == 5400s);
  CHECK(parse_duration("1H30M5") == 5405s);
  CHECK(parse_duration("2d") == 172800s);
  CHECK(parse_duration("1w2d") == 777600s);
  CHECK(parse_duration("2147483647") == 2147483647s);
  for (const char* text : {"", "0", "0m", "m", "10x", "-1", "+1", " 1", "1 ", "1.5h", "10 m", "1mm",
                           "2147483648", "3551w", "4294967296", "99999999999999999999"})
    CHECK_MESSAGE(!parse_duration(text), text);
}
