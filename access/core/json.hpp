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

// Nothing when the text is not one JSON value within the limits (RFC 8259) or names a key twice.
std::optional<nlohmann::json> parse_json(std::string_view text, JsonLimits limits = {});

// The member `name` of an object when it is there and of that type.
std::optional<std::string> string_member(const nlohmann::json& object, const char* name);
std::optional<std::int64_t> integer_member(const nlohmann::json& object, const char* name);

}  // namespace mayfly
