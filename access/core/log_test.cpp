#include "access/core/log.hpp"

#include <doctest/doctest.h>

#include <string>

namespace mayfly {

TEST_SUITE("core/log") {
  TEST_CASE("goes to whoever listens, and nowhere else") {
    log(LogLevel::error, "nobody listens");
    CHECK_FALSE(logging_enabled());
    std::string heard;
    set_log_sink([&](LogLevel level, std::string_view message, LogFields fields) {
      heard += std::to_string(static_cast<int>(level)) + ":" + std::string(message);
      for (const auto& [name, value] : fields) {
        heard.append(" ").append(name).append("=").append(value);
      }
    });
    CHECK(logging_enabled());
    log(LogLevel::warn, "slow", {{"host", "h"}, {"ms", "7"}});
    set_log_sink({});
    log(LogLevel::error, "again nobody");
    CHECK(heard == "2:slow host=h ms=7");
  }
}

}  // namespace mayfly
