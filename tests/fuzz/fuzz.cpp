#include "fuzz.hpp"

#include <algorithm>

namespace mayfly::fuzz {
namespace {

std::map<std::string, Run, std::less<>>& registry() {
  static std::map<std::string, Run, std::less<>> all;
  return all;
}

}  // namespace

Harness::Harness(const char* name, Run run) {
  registry().emplace(name, run);
}

const std::map<std::string, Run, std::less<>>& harnesses() {
  return registry();
}

std::uint8_t Input::byte() {
  const auto taken = take(1);
  return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken.front());
}

std::string_view Input::take(std::size_t count) {
  const auto taken = rest_.substr(0, count);
  rest_.remove_prefix(taken.size());
  return taken;
}

std::string_view Input::until(std::string_view mark) {
  const auto taken = take(std::min(rest_.find(mark), rest_.size()));
  take(mark.size());
  return taken;
}

std::string_view Input::line() {
  return until("\n");
}

std::string_view Input::section() {
  return until("\n=====\n");
}

}  // namespace mayfly::fuzz
