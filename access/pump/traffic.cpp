#include "access/pump/traffic.hpp"

namespace mayfly {

TunnelReport report_between(std::string name, const Traffic& before, const Traffic& after) {
  const double seconds = std::chrono::duration<double>(after.age - before.age).count();
  const auto rate = [&](std::uint64_t from, std::uint64_t to) {
    return seconds > 0 ? static_cast<double>(to - from) / seconds : 0;
  };
  return {.name = std::move(name),
          .traffic = after,
          .sent_rate = rate(before.sent, after.sent),
          .received_rate = rate(before.received, after.received)};
}

}  // namespace mayfly
