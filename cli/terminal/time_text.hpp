// Times as people read them.
#pragma once

#include <chrono>
#include <string>

#include "access/core/clock.hpp"

namespace mayfly::cli {

// "2:31", as a clock that runs down.
std::string countdown_text(std::chrono::seconds left);

// "18:42" in the time zone of the person; with the date in front when it is not now's day.
std::string clock_text(std::chrono::sys_seconds time, std::chrono::sys_seconds now);

}  // namespace mayfly::cli
