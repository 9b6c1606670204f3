// How a shell reads the words that we write, and nothing else.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::fuzz {

// Knows letters, digits and harmless marks, '...' and $(printf '\NNN'). Nothing for a text with
// anything more in it, which a shell might act upon.
std::optional<std::vector<std::string>> shell_words(std::string_view text);

}  // namespace mayfly::fuzz
