// Dates of HTTP. The numbers are those of date(1): date -u -d '1994-11-06 08:49:37' +%s.
#include "access/http1/http_date.hpp"

#include <doctest/doctest.h>

using namespace mayfly;

namespace {
std::optional<long long> seconds_of(std::string_view text) {
  const auto time = parse_http_date(text);
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}
}  // namespace

TEST_CASE("HTTP date: the form of today") {
  CHECK(seconds_of("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
  CHECK(seconds_of("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
  CHECK(seconds_of("Thu, 29 Feb 2024 23:59:59 GMT") == 1709251199);
  CHECK(seconds_of("Fri, 31 Dec 9999 23:59:59 GMT") == 253402300799);
}

TEST_CASE("HTTP date: the two forms of before") {
  CHECK(seconds_of("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
  CHECK(seconds_of("Sun Nov  6 08:49:37 1994") == 784111777);
  CHECK(seconds_of("Thu Feb 29 23:59:59 2024") == 1709251199);
  CHECK(seconds_of("Thursday, 29-Feb-24 23:59:59 GMT") == 1709251199);
}

TEST_CASE("HTTP date: anything else is none") {
  for (const char* text : {"", "now", "Sunday, 06-Nov-94 08:49:37",
                           "Sunday, 06-Nov-9x 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
                           "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 08:49:37 GMT ",
                           "Sun, 06 Nov 1994 08.49.37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
                           "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
                           "Sun, 31 Nov 1994 08:49:37 GMT", "Thu, 29 Feb 2023 00:00:00 GMT",
                           "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 19x4 08:49:37 GMT"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text));
  }
}
