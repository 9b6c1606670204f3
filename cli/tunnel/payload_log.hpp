// --debug-stream: the beginning of what passes through a tunnel, in the log.
#pragma once

#include <cstdint>
#include <string>

#include "access/pump/observed_end.hpp"

namespace mayfly::cli {

// Go's default of cloudflared when the flag says 0.
inline constexpr std::uint64_t default_payloads = 10;

// Logs at most `most` pieces at debug level, marked as payload, each cut after 1 KiB; with all
// tunnels of the process together. host is the application's.
PayloadObserver payload_log(std::string host, std::uint64_t most);

// In double quotes, with escapes as in Go and C, so that a line stays a line.
std::string quoted(std::string_view bytes);

}  // namespace mayfly::cli
