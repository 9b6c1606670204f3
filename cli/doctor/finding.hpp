// What a check of doctor's found.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "access/core/error.hpp"

namespace mayfly::cli::doctor {

struct Finding {
  enum class State {
    ok,
    warning,  // it works, but not as it should
    failed,
    not_needed,  // there is nothing to check
    skipped,     // it could not be checked, since what it needs has failed
  } state = State::ok;
  std::string detail;  // one line, fit to be shown
  std::string hint = {};
  ErrorKind kind = ErrorKind::failed;  // of what failed: the exit code
};

inline Finding well(std::string detail) {
  return {Finding::State::ok, std::move(detail)};
}
inline Finding warning(std::string detail, std::string hint) {
  return {Finding::State::warning, std::move(detail), std::move(hint)};
}
inline Finding failed(const Error& error) {
  return {Finding::State::failed, error.message(), error.hint(), error.kind()};
}
inline Finding not_needed(std::string detail) {
  return {Finding::State::not_needed, std::move(detail)};
}
inline Finding skipped(std::string reason) {
  return {Finding::State::skipped, std::move(reason)};
}

struct Check {
  std::string_view name;
  Finding finding;
  std::chrono::milliseconds took{};
};

}  // namespace mayfly::cli::doctor
