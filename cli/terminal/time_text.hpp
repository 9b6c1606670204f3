// Times as people read them.
#pragma once

#include <chrono>
#include <string>

namespace mayfly::cli {

// Returns "2:31", as a clock that runs down shows it.
std::string countdown_text(std::chrono::seconds left);

// Returns "18:42" in local time, with the date in front unless it is today.
std::string clock_text(std::chrono::sys_seconds time, std::chrono::sys_seconds now);

}  // namespace mayfly::cli
