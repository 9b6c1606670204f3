#include "cli/tunnel/reports.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "access/core/log.hpp"

using namespace mayfly;
using namespace mayfly::cli;

TEST_CASE("payload is quoted, so that a line stays a line") {
  CHECK(quoted("") == "\"\"");
  CHECK(quoted("plain ~") == "\"plain ~\"");
  CHECK(quoted(std::string_view("\"\\\n\r\t\0\x1b\x7f\xc3\xa9", 10)) ==
        R"("\"\\\n\r\t\x00\x1b\x7f\xc3\xa9")");
}

TEST_CASE("so many pieces are logged, by all tunnels together, each cut") {
  std::vector<std::string> lines;
  set_log_sink([&](LogLevel level, std::string_view message, LogFields fields) {
    CHECK(level == LogLevel::debug);
    std::string line(message);
    for (const auto& [name, value] : fields)
      line += " " + std::string(name) + "=" + std::string(value);
    lines.push_back(line);
  });
  const PayloadObserver one = payload_log("vm.example.com", 3), other = one;
  one(PayloadDirection::from_local, "hello");
  other(PayloadDirection::to_local, std::string(1025, 'x'));
  one(PayloadDirection::from_local, std::string(1024, 'y'));
  other(PayloadDirection::from_local, "too many");
  set_log_sink(nullptr);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == R"("hello" kind=payload host=vm.example.com dir=r count=5)");
  CHECK(lines[1] ==
        "\"" + std::string(1024, 'x') + "\"... kind=payload host=vm.example.com dir=w count=1025");
  CHECK(lines[2].starts_with("\"" + std::string(1024, 'y') + "\" kind"));
}
