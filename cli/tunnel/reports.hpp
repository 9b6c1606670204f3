// What tunnels report: how they ended, their traffic, and with --debug-stream their payload.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "access/pump/observed_end.hpp"
#include "access/pump/traffic.hpp"
#include "access/tunnel/tunnel.hpp"

namespace mayfly::cli {

// Returns the reason, the duration, the bytes in both directions and the close code.
std::string ending_line(const Ending& ending);

// Logs an ending at debug level: the last line of -v.
void log_ending(const Ending& ending);

// Returns "832 B", "1.2 MiB".
std::string size_text(std::uint64_t bytes);

// Returns a line for each of at most twenty tunnels, the busiest first, and for several tunnels a
// last line with their sums.
std::string traffic_lines(std::vector<TunnelReport> reports);

// Answers SIGUSR1 with traffic_lines() on standard error. Until this call the signal is ignored, so
// it comes before anything that may take long.
void report_traffic_on_signal(TunnelOptions& options);

// The number that cloudflared logs if --debug-stream is 0.
inline constexpr std::uint64_t default_payloads = 10;

// Logs at most `most` pieces of all tunnels of the process at debug level, marked as payload, each
// cut after 1 KiB. host: the application's.
PayloadObserver payload_log(std::string host, std::uint64_t most);

// Returns the bytes in double quotes and in one line, with the escapes of Go and C.
std::string quoted(std::string_view bytes);

}  // namespace mayfly::cli
