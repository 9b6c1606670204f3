#include "access/core/log.hpp"

#include <doctest/doctest.h>

#include <string>

namespace mayfly {

TEST_SUITE("core/log") {
  TEST_CASE("goes to whoever listens, and nowhere else") {
    log(LogLevel::error, "nobody listens");
    CHECK_FALSE(is_logged(LogLevel::error));
    std::string heard;
    set_log_sink([&](LogLevel level, std::string_view message, LogFields fields) {
      heard += std::to_string(static_cast<int>(level)) + ":" + std::string(message);
      for (const auto& [name, value] : fields) {
        heard.append(" ").append(name).append("=").append(value);
      }
    });
    CHECK(is_logged(LogLevel::debug));
    log(LogLevel::warn, "slow", {{"host", "h"}, {"ms", "7"}});
    set_log_sink({});
    log(LogLevel::error, "again nobody");
    CHECK(heard == "2:slow host=h ms=7");
  }

  TEST_CASE("what is below the least level is not heard") {
    std::string heard;
    set_log_sink([&](LogLevel, std::string_view message, LogFields) { heard += message; },
                 LogLevel::info);
    CHECK_FALSE(is_logged(LogLevel::debug));
    CHECK(is_logged(LogLevel::info));
    log(LogLevel::debug, "a");
    log(LogLevel::info, "b");
    log(LogLevel::error, "c");
    set_log_sink({});
    CHECK(heard == "bc");
  }
}

}  // namespace mayfly
