// Strict JSON from outside: bounded in size and depth, no duplicate keys, nothing after the value.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace mayfly {

struct JsonLimits {
  std::size_t max_bytes = 1 << 20;
  int max_depth = 16;
};

// Returns nullopt unless the text is one JSON value (RFC 8259) within the limits that names no key
// twice.
std::optional<nlohmann::json> parse_json(std::string_view text, JsonLimits limits = {});

// Return the member `name` of an object, or nullopt if it is absent or of another type.
std::optional<std::string> string_member(const nlohmann::json& object, const char* name);
std::optional<std::int64_t> integer_member(const nlohmann::json& object, const char* name);

}  // namespace mayfly
