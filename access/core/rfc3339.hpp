// Times as scripts read them.
#pragma once

#include <chrono>
#include <string>

namespace mayfly {

// "2026-11-23T18:42:00Z" (RFC 3339).
std::string rfc3339(std::chrono::sys_seconds time);

}  // namespace mayfly
