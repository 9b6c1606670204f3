#include "cli/tunnel/listening.hpp"

#include <doctest/doctest.h>

#include "access/core/log.hpp"

using namespace mayfly;
using namespace mayfly::cli;

namespace {

bool is_warned_about(const std::string& place) {
  int warnings = 0;
  set_log_sink([&](LogLevel level, std::string_view,
                   LogFields) { warnings += level == LogLevel::warn ? 1 : 0; },
               LogLevel::warn);
  ListenOptions options;
  listen_at({place}, "Start", options);
  options.ready(options.addresses.front());
  set_log_sink({}, LogLevel::error);
  return warnings > 0;
}

}  // namespace

TEST_CASE("a listener that others may reach is warned about") {
  for (const char* place : {"127.0.0.1:1", "127.8.9.10:1", ":1", "localhost:1", "wiki.localhost:1",
                            "[::1]:1", "unix:/run/socket"}) {
    CAPTURE(place);
    CHECK_FALSE(is_warned_about(place));
  }
  for (const char* place : {"0.0.0.0:1", "192.0.2.1:1", "127.example.com:1", "127.0.0.1.example:1",
                            "vm:1", "[::]:1", "[2001:db8::127]:1"}) {
    CAPTURE(place);
    CHECK(is_warned_about(place));
  }
}
