#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/doctor/check.hpp"
#include "cli/terminal/message.hpp"

namespace mayfly::cli::doctor {
namespace {

using State = CheckResult::State;

struct Look {
  std::string_view word;    // in lines
  std::string_view member;  // in JSON
  std::string_view color;   // ECMA-48 SGR parameters
};

Look look_of(State state) {
  switch (state) {
    case State::ok:
      return {"ok", "ok", "32"};
    case State::warning:
      return {"warning", "warning", "33"};
    case State::failed:
      return {"failed", "failed", "31"};
    case State::not_needed:
      return {"not needed", "not_needed", "2"};
    case State::skipped:
      return {"skipped", "skipped", "2"};
  }
  return {};
}

std::string painted(std::string_view text, std::string_view color, Paint paint) {
  if (paint == Paint::none) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", color, text);
}

std::size_t count(const std::vector<Check>& checks, State state) {
  return static_cast<std::size_t>(
      std::count_if(checks.begin(), checks.end(),
                    [&](const Check& check) { return check.result.state == state; }));
}

nlohmann::ordered_json json_of(const Check& check) {
  nlohmann::ordered_json json = {{"name", check.name},
                                 {"state", look_of(check.result.state).member},
                                 {"detail", check.result.detail},
                                 {"milliseconds", check.took.count()}};
  if (!check.result.hint.empty()) json["hint"] = check.result.hint;
  return json;
}

}  // namespace

std::string check_lines(const Check& check, Paint paint) {
  const Look look = look_of(check.result.state);
  std::string text =
      painted(fmt::format("{:<10}", look.word), look.color, paint) +
      fmt::format("  {:<18}  {:>6} ms  {}\n", check.name, check.took.count(), check.result.detail);
  if (!check.result.hint.empty()) text += fmt::format("{:12}hint: {}\n", "", check.result.hint);
  return text;
}

std::string running_line(std::string_view name) {
  return fmt::format("...         {}", name);
}

const Check* first_failure(const std::vector<Check>& checks) {
  const auto found = std::find_if(checks.begin(), checks.end(), [](const Check& check) {
    return check.result.state == State::failed;
  });
  return found == checks.end() ? nullptr : &*found;
}

std::string summary_line(std::string_view well, const std::vector<Check>& checks, Paint paint) {
  if (const Check* broken = first_failure(checks)) {
    const CheckResult& result = broken->result;
    return painted("broken", look_of(State::failed).color, paint) +
           fmt::format(": {}: {}{}{}\n", broken->name, result.detail,
                       result.hint.empty() ? "" : "; ", result.hint);
  }
  const std::size_t warnings = count(checks, State::warning);
  if (warnings > 0)
    return painted("works", look_of(State::warning).color, paint) +
           fmt::format(": {}, with {} warning{}\n", well, warnings, warnings == 1 ? "" : "s");
  return painted("all is well", look_of(State::ok).color, paint) + fmt::format(": {}\n", well);
}

std::string report_json(const Subject& subject, const std::vector<Check>& checks) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Check& check : checks) list.push_back(json_of(check));
  const Check* broken = first_failure(checks);
  nlohmann::ordered_json first = nullptr;
  if (broken != nullptr) first = broken->name;
  return json_text({{std::string(subject.member), subject.value},
                    {"ok", broken == nullptr},
                    {"checks", std::move(list)},
                    {"first_failure", std::move(first)}});
}

int exit_code(const std::vector<Check>& checks) {
  const Check* broken = first_failure(checks);
  return broken == nullptr ? 0 : static_cast<int>(broken->result.kind);
}

}  // namespace mayfly::cli::doctor
