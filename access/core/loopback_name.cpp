#include "access/core/loopback_name.hpp"

#include "access/core/text.hpp"

namespace mayfly {

bool is_loopback_name(std::string_view name) {
  const std::string lower = to_lower(name);
  return lower == "localhost" || lower.ends_with(".localhost");
}

}  // namespace mayfly
