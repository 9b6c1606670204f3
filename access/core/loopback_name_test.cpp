#include "access/core/loopback_name.hpp"

#include <doctest/doctest.h>

using namespace mayfly;

TEST_CASE("localhost and the names below it are loopback (RFC 6761 section 6.3)") {
  for (const char* name : {"localhost", "LocalHost", "wiki.localhost", "a.b.LOCALHOST"})
    CHECK(is_loopback_name(name));
  for (const char* name : {"", ".", "localhos", "xlocalhost", "localhost.example.com", "127.0.0.1",
                           "localhost.", "wiki.localhost."})
    CHECK_FALSE(is_loopback_name(name));
}
