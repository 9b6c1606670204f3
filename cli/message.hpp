// How messages look: the only place that words "mayfly: error:" and "hint:".
#pragma once

#include <string_view>

#include "access/core/error.hpp"

namespace mayfly::cli {

// "mayfly: error: <message>" and "hint: <hint>", on stderr.
void print_error(const Error& error);
// "mayfly: warning: <text>".
void print_warning(std::string_view text);
// Text as it is, on stderr.
void print_notice(std::string_view text);
// The product of a command. Throws Error(failed) when stdout takes no more (a full disk, a closed
// pipe).
void print_product(std::string_view text);

}  // namespace mayfly::cli
