#include "access/core/edge_clock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <optional>

#include "access/core/duration_text.hpp"

namespace mayfly {
namespace {

using std::chrono::seconds;

// Dates are cut to seconds, and answers take their time.
constexpr seconds agrees = std::chrono::minutes(1);

// By how much this computer's clock is ahead.
std::optional<seconds>& offset() {
  static std::optional<seconds> value;
  return value;
}

std::chrono::sys_seconds now() {
  return std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

}  // namespace

void note_edge_time(std::chrono::sys_seconds theirs) {
  offset() = now() - theirs;
}

void forget_edge_time() {
  offset().reset();
}

bool is_edge_time_known() {
  return offset().has_value();
}

std::string clock_hint(std::string_view if_it_is_right) {
  if (!offset()) {
    return fmt::format("this computer's clock says {:%Y-%m-%d %H:%M} UTC; set it if that is wrong",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(now())));
  }
  const seconds ahead = *offset();
  if (std::chrono::abs(ahead) <= agrees) return std::string(if_it_is_right);
  return fmt::format("set this computer's clock: it is {} {} the edge's",
                     duration_text(std::chrono::abs(ahead)),
                     ahead > seconds::zero() ? "ahead of" : "behind");
}

}  // namespace mayfly
