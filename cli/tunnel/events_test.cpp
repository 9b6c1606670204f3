#include "cli/tunnel/events.hpp"

#include <doctest/doctest.h>

using namespace mayfly::cli;

TEST_CASE("the cf-ray in a message of a refusal") {
  // As access/answer/refusal.cpp and Response::reference() write it.
  CHECK(ray_in("access refused (sent to the login page, HTTP 302, cf-ray 8f1c2a3b4d5e6f70-FRA)") ==
        "8f1c2a3b4d5e6f70-FRA");
  CHECK(ray_in("cannot open a tunnel (status 530, cf-ray 8f1c2a3b4d5e6f70-FRA, location x)") ==
        "8f1c2a3b4d5e6f70-FRA");
  CHECK(ray_in("no answer") == "");
  CHECK(ray_in("cf-ray ") == "");
}
