// A length of time as people say it.
#pragma once

#include <chrono>
#include <string>

namespace mayfly {

// The two largest units: "3 d 4 h", "2 h 14 min", "5 min", "42 s"; rounded down.
std::string duration_text(std::chrono::seconds duration);

}  // namespace mayfly
