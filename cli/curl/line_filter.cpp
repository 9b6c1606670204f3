#include "cli/curl/line_filter.hpp"

#include <utility>

namespace mayfly::cli {

std::string LineFilter::next(std::string_view piece) {
  if (beginning_.empty()) return std::string(piece);
  std::string shown;
  for (const char c : piece) {
    if (line_ == Line::begins) {
      held_ += c;
      if (held_ == beginning_) {
        held_.clear();
        line_ = Line::left_out;
      } else if (!beginning_.starts_with(held_)) {
        shown += std::exchange(held_, {});
        line_ = Line::shown;
      }
    } else if (line_ == Line::shown) {
      shown += c;
    }
    if (c == '\n' && held_.empty()) line_ = Line::begins;
  }
  return shown;
}

std::string LineFilter::rest() {
  return std::exchange(held_, {});
}

}  // namespace mayfly::cli
