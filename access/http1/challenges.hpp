// The challenges of a WWW-Authenticate header (RFC 9110 section 11.6.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/http1/headers.hpp"

namespace mayfly {

struct Challenge {
  std::string scheme;              // as it came; schemes are compared in any case
  std::vector<Header> parameters;  // without quotes and escapes

  bool is_of(std::string_view name) const;
  // Returns the value of a parameter, or nullopt if it is absent or named more than once.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

// Returns the challenges in the value of one header; none if the value does not follow the grammar,
// since a quoted text could then be read as a challenge.
std::vector<Challenge> parse_challenges(std::string_view value);

// Returns the challenges of all WWW-Authenticate headers.
std::vector<Challenge> challenges_in(const Headers& headers);

}  // namespace mayfly
