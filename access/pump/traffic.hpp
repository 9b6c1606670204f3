// What passes through a tunnel, in numbers.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mayfly {

struct Traffic {
  std::uint64_t sent = 0, received = 0;  // payload bytes
  std::chrono::milliseconds age{};
  std::optional<std::chrono::microseconds> round_trip;  // of the last ping that was answered
};

// An open tunnel, to somebody who asks how it goes.
struct TunnelReport {
  std::string name;  // what it reaches or whom it serves; printable
  Traffic traffic;
  double sent_rate = 0, received_rate = 0;  // bytes a second, just now
};

using TellTraffic = std::function<void(const std::vector<TunnelReport>&)>;

// How long a report takes: its rates are those of that time.
inline constexpr std::chrono::seconds report_time{1};

// From two looks at a tunnel.
TunnelReport report_between(std::string name, const Traffic& before, const Traffic& after);

}  // namespace mayfly
