// The hint about the clock.
#include "access/core/edge_clock.hpp"

#include <doctest/doctest.h>

using namespace mayfly;
using namespace std::chrono_literals;

namespace {
std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}
}  // namespace

TEST_CASE("edge clock: what the hint says") {
  forget_edge_time();
  CHECK_FALSE(is_edge_time_known());
  const std::string unknown = clock_hint("ask somebody");
  CHECK(unknown.starts_with("this computer's clock says 2"));
  CHECK(unknown.ends_with(
      " UTC: compare it with another source (timedatectl), and set it if it is wrong"));
  CHECK(clock_hint("ask somebody", "try again").ends_with(" UTC: try again"));

  note_edge_time("app.example", now() + 30s);
  CHECK(is_edge_time_known());
  CHECK(clock_hint("ask somebody") == "ask somebody");
  // Half a minute more, so that a slow machine does not reach the next one.
  note_edge_time("app.example", now() + 7530s);
  CHECK(clock_hint("ask somebody") ==
        "this computer's clock is 2 h 5 min behind that of app.example: compare it with another "
        "source (timedatectl), and set it if it is wrong");
  note_edge_time("app.example", now() - 7530s);
  CHECK(clock_hint("ask somebody") ==
        "this computer's clock is 2 h 5 min ahead of that of app.example: compare it with another "
        "source (timedatectl), and set it if it is wrong");
  forget_edge_time();
}
