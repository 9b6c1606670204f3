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
  CHECK(unknown.ends_with(" UTC; set it if that is wrong"));

  note_edge_time(now() + 30s);
  CHECK(is_edge_time_known());
  CHECK(clock_hint("ask somebody") == "ask somebody");
  // Half a minute more, so that a slow machine does not reach the next one.
  note_edge_time(now() + 7530s);
  CHECK(clock_hint("ask somebody") ==
        "set this computer's clock: it is 2 h 5 min behind the edge's");
  note_edge_time(now() - 7530s);
  CHECK(clock_hint("ask somebody") ==
        "set this computer's clock: it is 2 h 5 min ahead of the edge's");
  forget_edge_time();
}
