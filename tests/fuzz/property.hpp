// What must hold for every input, judged by means of its own.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "access/core/error.hpp"

namespace mayfly::fuzz {

// Names the broken promise and aborts, so that the input is kept.
void require(bool holds, const char* promise);

// The characters of a text; nothing when it is not UTF-8 (RFC 3629).
std::optional<std::vector<char32_t>> decode_utf8(std::string_view bytes);

// One line that no terminal takes for anything but text, of at most `limit` bytes.
bool is_fit_to_show(std::string_view text, std::size_t limit);

void require_fit_to_show(const Error& error);

// What the function returns; nothing when it throws an Error, which must be of one of these kinds
// and fit to be shown. Anything else it throws ends the run.
template <typename Function>
auto result_of(std::initializer_list<ErrorKind> kinds, const Function& function)
    -> std::optional<std::invoke_result_t<Function>> {
  try {
    return function();
  } catch (const Error& error) {
    bool expected = false;
    for (const ErrorKind kind : kinds) expected = expected || kind == error.kind();
    require(expected, "an error is of the kind that the contract names");
    require_fit_to_show(error);
    return std::nullopt;
  }
}

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace mayfly::fuzz
