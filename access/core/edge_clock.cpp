#include "access/core/edge_clock.hpp"

#include <fmt/core.h>

#include <optional>

#include "access/core/clock.hpp"

namespace mayfly {
namespace {

using std::chrono::seconds;

// A Date has whole seconds, and its answer is under way for a while.
constexpr seconds agrees = std::chrono::minutes(1);

struct ServerTime {
  std::string host;
  seconds ahead;  // by how much this computer's clock is ahead of that server's
};

std::optional<ServerTime>& last_told() {
  static std::optional<ServerTime> value;
  return value;
}

}  // namespace

void note_edge_time(std::string_view host, std::chrono::sys_seconds theirs) {
  last_told() = ServerTime{std::string(host), now() - theirs};
}

void forget_edge_time() {
  last_told().reset();
}

bool is_edge_time_known() {
  return last_told().has_value();
}

std::string clock_hint(std::string_view if_it_is_right, std::string_view if_unknown) {
  if (!last_told()) {
    return fmt::format("this computer's clock says {}: {}", utc_text(now()), if_unknown);
  }
  const auto& [host, ahead] = *last_told();
  if (std::chrono::abs(ahead) <= agrees) return std::string(if_it_is_right);
  return fmt::format("this computer's clock is {} {} that of {}: {}",
                     duration_text(std::chrono::abs(ahead)),
                     ahead > seconds::zero() ? "ahead of" : "behind", host, compare_clock);
}

}  // namespace mayfly
