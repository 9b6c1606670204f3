// A check of doctor: its result, and the checks as text (report.cpp).
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/core/error.hpp"

namespace mayfly::cli::doctor {

struct CheckResult {
  enum class State {
    ok,
    warning,  // it works, but not as it should
    failed,
    not_needed,  // there is nothing to check
    skipped,     // a check that it needs has failed
  } state = State::ok;
  std::string detail;  // one line, fit to be shown
  std::string hint = {};
  ErrorKind kind = ErrorKind::failed;  // of a failure: the exit code
};

inline CheckResult well(std::string detail) {
  return {CheckResult::State::ok, std::move(detail)};
}
inline CheckResult warning(std::string detail, std::string hint) {
  return {CheckResult::State::warning, std::move(detail), std::move(hint)};
}
inline CheckResult failed(const Error& error) {
  return {CheckResult::State::failed, error.message(), error.hint(), error.kind()};
}
inline CheckResult failed(std::string detail, std::string hint) {
  return {CheckResult::State::failed, std::move(detail), std::move(hint)};
}
inline CheckResult not_needed(std::string detail) {
  return {CheckResult::State::not_needed, std::move(detail)};
}
inline CheckResult skipped(std::string reason) {
  return {CheckResult::State::skipped, std::move(reason)};
}

struct Check {
  std::string_view name;
  CheckResult result;
  std::chrono::milliseconds took{};
};

enum class Paint { none, colors };

// Returns state, name, time and detail, and the hint in a second line.
std::string check_lines(const Check& check, Paint paint);

// Returns the line that shows a running check until its result replaces it.
std::string running_line(std::string_view name);

// Returns the first check that failed, or nullptr.
const Check* first_failure(const std::vector<Check>& checks);

// Names the first check that failed and its hint, or says that all is well, and what follows: "HOST
// can be reached".
std::string summary_line(std::string_view well, const std::vector<Check>& checks, Paint paint);

// Names the thing that is checked, as a member of the JSON.
struct Subject {
  std::string_view member, value;  // "hostname", "vm.example.com"
};
// Returns the JSON of mayfly-doctor(1).
std::string report_json(const Subject& subject, const std::vector<Check>& checks);

// Returns the exit code: 0, or that of the first failure.
int exit_code(const std::vector<Check>& checks);

}  // namespace mayfly::cli::doctor
