// Dates as HTTP writes them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace mayfly {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7), the form that is written today; the
// day's name is not compared. Nothing for anything else.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

}  // namespace mayfly
