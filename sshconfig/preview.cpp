#include <fmt/format.h>

#include <algorithm>

#include "access/core/text.hpp"
#include "sshconfig/install.hpp"

namespace mayfly::sshconfig {
namespace {

std::string marked(char mark, const std::vector<std::string_view>& lines) {
  std::string result;
  for (const std::string_view line : lines) {
    result += fmt::format("{}{}\n", mark, printable(line, 4096));
  }
  return result;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  if (text.empty()) return {};
  if (text.back() == '\n') text.remove_suffix(1);
  return split(text, '\n');
}

// Every change of ours is in one place, so what is the same at both ends is left out.
std::string difference(std::string_view before, std::string_view after) {
  std::vector<std::string_view> old_lines = lines_of(before), new_lines = lines_of(after);
  const auto [old_first, new_first] =
      std::mismatch(old_lines.begin(), old_lines.end(), new_lines.begin(), new_lines.end());
  old_lines.erase(old_lines.begin(), old_first);
  new_lines.erase(new_lines.begin(), new_first);
  while (!old_lines.empty() && !new_lines.empty() && old_lines.back() == new_lines.back()) {
    old_lines.pop_back();
    new_lines.pop_back();
  }
  return marked('-', old_lines) + marked('+', new_lines);
}

std::string_view verb(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::create:
      return "create";
    case Change::Kind::replace:
      return "edit";
    case Change::Kind::remove:
      break;
  }
  return "remove";
}

}  // namespace

std::string preview(const std::vector<Change>& changes) {
  std::string result;
  for (const Change& change : changes) {
    result += fmt::format("{} {}\n", verb(change.kind), printable(change.path, 4096));
    result += difference(change.before, change.after);
  }
  return result;
}

}  // namespace mayfly::sshconfig
