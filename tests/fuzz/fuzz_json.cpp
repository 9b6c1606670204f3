// Strict JSON.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "access/core/json.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

int depth_of(const nlohmann::json& value) {
  if (!value.is_structured()) return 0;
  int deepest = 0;
  for (const auto& member : value) deepest = std::max(deepest, depth_of(member));
  return deepest + 1;
}

// Colons outside strings: one for each member that was written.
std::size_t members_written(std::string_view text) {
  std::size_t count = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      in_string = !in_string;
    else if (text[i] == ':' && !in_string)
      ++count;
  }
  return count;
}

std::size_t members_kept(const nlohmann::json& value) {
  std::size_t count = value.is_object() ? value.size() : 0;
  if (value.is_structured())
    for (const auto& member : value) count += members_kept(member);
  return count;
}

const Harness harness("json", [](std::string_view input) {
  constexpr JsonLimits limits{.max_bytes = 2048, .max_depth = 6};
  const auto value = parse_json(input, limits);
  if (!value) return;
  require(input.size() <= limits.max_bytes, "a text is bounded");
  require(input.find('\0') == std::string_view::npos, "nothing hides behind a NUL");
  require(depth_of(*value) <= limits.max_depth, "depth is bounded");
  require(members_written(input) == members_kept(*value), "no key is named twice");
  const std::string again = value->dump();
  // Escapes and exponents may make it longer.
  require(parse_json(again, {.max_bytes = 1 << 20, .max_depth = 6}) == value,
          "what was read can be written and read again");
  for (const char* name : {"", "a", "exp"}) {
    const auto number = integer_member(*value, name);
    require(!number || value->at(name) == *number, "an integer is the one in the text");
    const auto text = string_member(*value, name);
    require(!text || value->at(name) == *text, "a string is the one in the text");
  }
});

}  // namespace
}  // namespace mayfly::fuzz
