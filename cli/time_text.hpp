// Times as scripts and as people read them.
#pragma once

#include <chrono>
#include <string>

#include "access/core/duration_text.hpp"

namespace mayfly::cli {

// "2026-11-23T18:42:00Z" (RFC 3339).
std::string rfc3339(std::chrono::sys_seconds time);

// "2:31", as a clock that runs down.
std::string countdown_text(std::chrono::seconds left);

// "18:42" in the time zone of the person; with the date in front when it is not now's day.
std::string clock_text(std::chrono::sys_seconds time, std::chrono::sys_seconds now);

}  // namespace mayfly::cli
